"""Where Optuna keeps its studies: a journal file, or the database that the environment names."""

import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError, first_line
from darkroom.tracking.store import redacted

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from sqlalchemy import URL

VARIABLE = "DARKROOM_TUNE_STORAGE"
CONNECT_SECONDS = 10


@contextmanager
def reported_errors() -> Iterator[None]:
    """Raise UserError, in one line without the address's password, when the database cannot be used."""
    address = os.environ.get(VARIABLE)
    if not address:
        yield
        return
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
        message = redacted(first_line(getattr(cause, "orig", None) or cause), address)
        shown = textwrap.shorten(message, 200, placeholder=" ...")
        raise UserError(f"the database of {VARIABLE} cannot be used: {shown}; check the address", 1) from None


def open_storage(journal: Path) -> "BaseStorage":
    """Return the storage in the file `journal`, or in the database whose address DARKROOM_TUNE_STORAGE holds.

    Nobody else writes the file meanwhile. Raises UserError when the address is none, or its driver is missing.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if address := os.environ.get(VARIABLE):
        return _open_database(address)
    _cut_torn_line(journal)
    Path(f"{journal}.lock").unlink(missing_ok=True)  # of a killed process; Optuna would wait half a minute for it
    return optuna.storages.JournalStorage(JournalFileBackend(str(journal)))


@reported_errors()
def _open_database(address: str) -> "BaseStorage":
    from optuna.storages import RDBStorage
    from sqlalchemy.pool import NullPool

    url = _readable(address)
    waiting = {"connect_timeout": CONNECT_SECONDS} if url.get_backend_name() == "postgresql" else {}
    # each use has its own connection: a server may close what is idle during a long training
    options: dict[str, Any] = {"poolclass": NullPool, "connect_args": waiting}
    try:
        return RDBStorage(url.render_as_string(hide_password=False), engine_kwargs=options)
    except RuntimeError:  # so Optuna says that the tables are of another version
        raise UserError(
            f"the database of {VARIABLE} was made by another version of Optuna; upgrade it with "
            f'`optuna storage upgrade --storage "${VARIABLE}"`, or name another database',
            1,
        ) from None


def _readable(address: str) -> "URL":
    """Return the address with the driver that is installed with darkroom's extras."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    after = address.partition("://")[2]
    if after.count("@") > 1 and not after.startswith("/"):  # else what follows the first would be read as a host
        raise UserError(f"{VARIABLE} holds more than one @; one in a user name, password or option is written %40")
    try:
        url = make_url(address)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        url.get_dialect().import_dbapi()
    except ModuleNotFoundError as error:
        install = 'install it with `pip install "psycopg[binary]"`' if error.name == "psycopg" else "install it"
        raise UserError(f"{VARIABLE} needs the package {error.name}; {install}", 1) from None
    except (ArgumentError, ValueError):  # the latter of a port, whose text may be a password
        raise UserError(f"{VARIABLE} is not the address of a database, like postgresql://user@host/database") from None
    return url


def _cut_torn_line(journal: Path) -> None:
    """Take away a last line that a crash or a full disk left unfinished; Optuna could not read beyond it."""
    content = journal.read_bytes() if journal.exists() else b""
    if content and not content.endswith(b"\n"):
        os.truncate(journal, content.rfind(b"\n") + 1)  # a kill during a rewrite would lose all
