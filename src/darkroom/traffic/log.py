"""The log of traffic: what was answered, by which version, and what turned out to be right."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.core.paths import project_root
from darkroom.params.serving import Ab
from darkroom.traffic.database import Database
from darkroom.traffic.record import Record, clean

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

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
        self.rows, self.pictures = rows, pictures
        self._database = Database(address)

    def add(self, records: Sequence[Record]) -> None:
        """Log answers, in one transaction; the oldest beyond `rows` go."""
        if not records:
            return
        with self._database.connected() as connection:
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
        if self._database.is_missing():
            return 0
        with self._database.connected() as connection:
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
        if not self._database.is_missing():
            with self._database.connected() as connection:
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
        if self._database.is_missing():
            return None
        with self._database.connected() as connection:
            return connection.scalar(wanted)

    def has_cut_off(self, version: str) -> bool:
        """Return whether answers of a version as a challenger were deleted, so that what is left is a moving window."""
        from sqlalchemy import select

        gone = self._database.table("cut_off")
        if self._database.is_missing():
            return False
        with self._database.connected() as connection:
            return connection.scalar(select(gone.c.version).where(gone.c.version == version).limit(1)) is not None

    def _add_with_pictures(self, connection: "Connection", records: Sequence[Record]) -> None:
        for record in records:
            key = connection.execute(self._answers.insert().values(record.row())).inserted_primary_key
            if key is not None and record.picture is not None:
                connection.execute(self._pictures.insert().values(id=key[0], picture=record.picture))

    def _trim(self, table: "Table", newest: int, kept: int) -> None:
        """Delete what is older than the `kept` newest, some at a time."""
        while True:
            with self._database.connected() as connection:
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

        answers, gone = self._answers, self._database.table("cut_off")
        going = select(answers.c.version).distinct().where(answers.c.id <= end, answers.c.role != "champion")
        new = going.where(answers.c.version.not_in(select(gone.c.version)))
        connection.execute(gone.insert().from_select(["version"], new))

    @property
    def _answers(self) -> "Table":
        return self._database.table("answers")

    @property
    def _pictures(self) -> "Table":
        return self._database.table("pictures")


def _edge(connection: "Connection", table: "Table", newest: bool) -> int:
    """Return the number of the newest or oldest row, 0 without any."""
    from sqlalchemy import select

    order = table.c.id.desc() if newest else table.c.id
    return connection.scalar(select(table.c.id).order_by(order).limit(1)) or 0
