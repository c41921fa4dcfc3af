"""The log of traffic: what was answered, by which version, and what turned out to be right."""

import os
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError, first_line
from darkroom.core.paths import project_root
from darkroom.params.serving import Ab
from darkroom.tracking.store import redacted
from darkroom.traffic.record import Record, clean
from darkroom.traffic.schema import create_tables, open_engine, tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table

COLUMNS = (
    *("request", "time", "version", "role", "label", "score", "probabilities", "abstains", "unfamiliar", "error"),
    *("milliseconds", "width", "height", "brightness", "sharpness", "features", "outcome"),
)
SPARE = 20  # a twentieth more than needed is deleted at a time
DELETED_AT_ONCE = 10_000  # rows, while other processes wait


def traffic_uri() -> str:
    """Return the address of the log: DARKROOM_TRAFFIC_URI, or SQLite in the repository's root."""
    return os.environ.get("DARKROOM_TRAFFIC_URI") or f"sqlite:///{project_root() / 'traffic.db'}"


def open_log(chosen: Ab) -> "TrafficLog":
    """Return the log that params.yaml and the environment describe."""
    return TrafficLog(traffic_uri(), chosen.log_rows, chosen.log_pictures)


class TrafficLog:
    """The latest `rows` answers at `address`, and the pictures of the latest `pictures` of them.

    Threads and processes may share it. It is created by the first answer. Every method raises UserError, in one line
    without the address's password, when the database cannot be reached or is damaged.
    """

    def __init__(self, address: str, rows: int, pictures: int = 0) -> None:
        self.address, self.rows, self.pictures = address, rows, pictures
        self._lock, self._created = Lock(), False

    def add(self, records: Sequence[Record]) -> None:
        """Log answers, in one transaction; the oldest beyond `rows` go."""
        if not records:
            return
        with self._connected() as connection:
            if self.pictures:
                self._add_with_pictures(connection, records)
            else:
                connection.execute(self._answers.insert(), [record.row() for record in records])
            newest = _edge(connection, self._answers, newest=True)
        self._trim(self._answers, newest, self.rows)
        self._trim(self._pictures, newest, self.pictures)

    def record_outcomes(self, outcomes: Sequence[tuple[str, str]]) -> int:
        """Note pairs of request and right label, over earlier ones, in one transaction; return how many the log has."""
        answers, known = self._answers, 0
        if self._missing():
            return 0
        with self._connected() as connection:
            for request, label in outcomes:
                change = answers.update().where(answers.c.request == clean(request)).values(outcome=clean(label))
                known += connection.execute(change).rowcount > 0
        return known

    def read(
        self, last: int | None = None, columns: Sequence[str] = COLUMNS, version: str | None = None
    ) -> pd.DataFrame:
        """Return the latest answers, or all, in the order in which they were logged, with these of COLUMNS.

        Given a `version`, those of the others are passed over.

        `outcome` is the right label, missing (`isna`) while it is unknown. `probabilities` is JSON, features (n,) are
        float16 or None.
        """
        from sqlalchemy import select

        answers = self._answers
        wanted = select(*(answers.c[name] for name in columns)).order_by(answers.c.id.desc()).limit(last)
        if version is not None:
            wanted = wanted.where(answers.c.version == version)
        rows = []
        if not self._missing():
            with self._connected() as connection:
                rows = [tuple(row) for row in connection.execute(wanted)]
        found = pd.DataFrame(rows[::-1], columns=list(columns))
        if "features" in columns:
            arrays = [None if value is None else np.frombuffer(value, "<f2") for value in found["features"]]
            found["features"] = pd.Series(arrays, dtype=object)
        return found

    def picture(self, request: str) -> bytes | None:
        """Return the picture of a request, None when it is not kept."""
        from sqlalchemy import select

        answers, pictures = self._answers, self._pictures
        joined = answers.join(pictures, pictures.c.id == answers.c.id)
        wanted = select(pictures.c.picture).select_from(joined).where(answers.c.request == clean(request)).limit(1)
        if self._missing():
            return None
        with self._connected() as connection:
            return connection.scalar(wanted)

    def has_cut_off(self, version: str) -> bool:
        """Return whether answers of a version as a challenger were deleted, so that what is left is a moving window."""
        from sqlalchemy import select

        gone = self._metadata.tables["darkroom_cut_off"]
        if self._missing():
            return False
        with self._connected() as connection:
            return connection.scalar(select(gone.c.version).where(gone.c.version == version).limit(1)) is not None

    def _add_with_pictures(self, connection: "Connection", records: Sequence[Record]) -> None:
        for record in records:
            key = connection.execute(self._answers.insert().values(record.row())).inserted_primary_key
            if key is not None and record.picture is not None:
                connection.execute(self._pictures.insert().values(id=key[0], picture=record.picture))

    def _trim(self, table: "Table", newest: int, kept: int) -> None:
        """Delete what is older than the `kept` newest, some at a time."""
        while True:
            with self._connected() as connection:
                oldest = _edge(connection, table, newest=False)
                if not oldest or oldest > newest - kept:
                    return
                end = min(newest - kept + kept // SPARE, oldest + DELETED_AT_ONCE)
                if table is self._answers:
                    self._note_cut_off(connection, end)
                connection.execute(table.delete().where(table.c.id <= end))

    def _note_cut_off(self, connection: "Connection", end: int) -> None:
        """Note whose answers as a challenger go with the rows up to number `end`."""
        from sqlalchemy import select

        answers, gone = self._answers, self._metadata.tables["darkroom_cut_off"]
        going = select(answers.c.version).distinct().where(answers.c.id <= end, answers.c.role != "champion")
        new = going.where(answers.c.version.not_in(select(gone.c.version)))
        connection.execute(gone.insert().from_select(["version"], new))

    def _missing(self) -> bool:
        """Return whether nothing has been logged, so that reading creates no file."""
        with self._reported():
            file = self._engine.url.database if self._engine.dialect.name == "sqlite" else None
        return bool(file) and not Path(str(file)).exists()

    @contextmanager
    def _connected(self) -> Iterator["Connection"]:
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

    @property
    def _answers(self) -> "Table":
        return self._metadata.tables["darkroom_answers"]

    @property
    def _pictures(self) -> "Table":
        return self._metadata.tables["darkroom_pictures"]


def _edge(connection: "Connection", table: "Table", newest: bool) -> int:
    """Return the number of the newest or oldest row, 0 without any."""
    from sqlalchemy import select

    order = table.c.id.desc() if newest else table.c.id
    return connection.scalar(select(table.c.id).order_by(order).limit(1)) or 0
