"""The database of the log of traffic: connections to it, and its errors in one line."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError, first_line
from darkroom.tracking.store import redacted
from darkroom.traffic.schema import create_tables, open_engine, tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table


class Database:
    """The database at `address`, whose tables the first connection creates; threads may share it.

    Every use raises UserError, in one line without the address's password, when it cannot be reached or is damaged.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock, self._created = Lock(), False

    def table(self, name: str) -> "Table":
        """Return the description of a table, such as "answers"."""
        return self._metadata.tables[f"darkroom_{name}"]

    def is_missing(self) -> bool:
        """Return whether nothing has been logged, so that reading creates no file."""
        with self._reported():
            file = self._engine.url.database if self._engine.dialect.name == "sqlite" else None
        return bool(file) and not Path(str(file)).exists()

    @contextmanager
    def connected(self) -> Iterator["Connection"]:
        """Yield a connection in a transaction."""
        with self._reported():
            with self._lock:
                if not self._created:
                    create_tables(self._engine, self._metadata)
                    self._created = True
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def _reported(self) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = redacted(first_line(getattr(error, "orig", None) or error), self.address)
            message = textwrap.shorten(cause, 120, placeholder=" ...")
            shown = redacted(self.address)
            raise UserError(
                f"the log of traffic at {shown} cannot be used: {message}; check DARKROOM_TRAFFIC_URI", 1
            ) from None

    @cached_property
    def _engine(self) -> "Engine":
        return open_engine(self.address)

    @cached_property
    def _metadata(self) -> "MetaData":
        return tables()
