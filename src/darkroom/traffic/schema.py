"""The tables of the log of traffic, in SQLite or PostgreSQL."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError
from darkroom.execution.locks import locked

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Engine, MetaData

VERSION = 1
BUSY_SECONDS = 10  # that a process waits for the others
LOCK = 0x6461726B  # of PostgreSQL, while the tables are created


def tables() -> "MetaData":
    """Describe the tables: answers, pictures by the number of their answer, challengers cut off, and the version."""
    from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

    described = MetaData()
    Table("darkroom_answers", described, _number(), *_answer_columns(), sqlite_autoincrement=True)
    Table("darkroom_pictures", described, _number(), Column("picture", LargeBinary, nullable=False))
    Table("darkroom_cut_off", described, Column("version", Text, nullable=False))
    Table("darkroom_traffic", described, Column("version", Integer, primary_key=True))
    return described


def _number() -> "Column[Any]":
    from sqlalchemy import BigInteger, Column, Integer

    # SQLite counts up only what is an INTEGER
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _answer_columns() -> "list[Column[Any]]":
    from sqlalchemy import Boolean, Column, Double, Integer, LargeBinary, Text

    return [
        Column("request", Text, nullable=False, index=True),
        Column("time", Double, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("version", "role")),
        Column("label", Text),
        Column("score", Double),
        Column("probabilities", Text, nullable=False),
        *(Column(name, Boolean) for name in ("abstains", "unfamiliar")),
        Column("error", Text),
        Column("milliseconds", Double, nullable=False),
        *(Column(name, Integer) for name in ("width", "height")),
        *(Column(name, Double) for name in ("brightness", "sharpness")),
        Column("features", LargeBinary),
        Column("outcome", Text),
    ]


def open_engine(address: str) -> "Engine":
    """Return the engine of an address; raises UserError when its driver is missing."""
    from sqlalchemy import create_engine, event, make_url
    from sqlalchemy.pool import NullPool

    url = make_url(address)
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    try:
        # each use has its own connection: processes fork, threads come and go, and a server may close what is idle
        engine = create_engine(url, poolclass=NullPool, connect_args=_waiting(url.get_backend_name()))
    except ModuleNotFoundError as error:
        install = 'install it with `pip install "psycopg[binary]"`' if error.name == "psycopg" else "install it"
        raise UserError(f"DARKROOM_TRAFFIC_URI needs the package {error.name}; {install}", status=1) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _waiting(backend: str) -> dict[str, Any]:
    return {"sqlite": {"timeout": BUSY_SECONDS}, "postgresql": {"connect_timeout": BUSY_SECONDS}}.get(backend, {})


def _prepare_sqlite(connection: Any, _: Any) -> None:
    """Let others read while one writes; what a crash of the machine may lose is the last answers, not the file."""
    for setting in ("journal_mode = WAL", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {setting}")


def create_tables(engine: "Engine", described: "MetaData") -> None:
    """Create what is missing, one process at a time; raises UserError when the tables are another version's."""
    from sqlalchemy import select
    from sqlalchemy.schema import CreateIndex, CreateTable

    version = described.tables["darkroom_traffic"]
    with _alone(engine), engine.begin() as connection:
        _lock_postgresql(connection)
        for table in described.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))
        found = connection.scalars(select(version.c.version)).all()
        if not found:
            connection.execute(version.insert().values(version=VERSION))
        elif list(found) != [VERSION]:
            raise UserError(
                f"the log of traffic has version {found[0]}, this darkroom {VERSION}; name a new one in "
                "DARKROOM_TRAFFIC_URI, or move the old one away",
                status=1,
            )


def _alone(engine: "Engine") -> AbstractContextManager[None]:
    """Hold the lock beside an SQLite file: two processes that create one at once would find it locked."""
    file = engine.url.database
    return locked(Path(f"{file}.lock")) if engine.dialect.name == "sqlite" and file else nullcontext()


def _lock_postgresql(connection: "Connection") -> None:
    from sqlalchemy import text

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
