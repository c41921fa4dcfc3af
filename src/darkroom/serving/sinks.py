"""Where the rows of predictions go: to stdout, or to a file; from the rows of a stopped run the next one goes on."""

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from darkroom.core.files import naming_errors, replacing
from darkroom.serving.rows import Row, csv_header, csv_rows, json_line, write_table

SUFFIX = ".partial.jsonl"
logger = logging.getLogger(__name__)


@dataclass
class Tally:
    """How many pictures there were, how many could not be read, on how many the model abstained."""

    pictures: int = 0
    unreadable: int = 0
    abstained: int = 0

    def count(self, row: Row) -> None:
        """Count one row."""
        self.pictures += 1
        self.unreadable += row["error"] is not None
        self.abstained += bool(row["abstains"])


@dataclass
class Sink:
    """Takes rows; `tally` counts them, `done` says how often each path has a row that an earlier run left."""

    write: Callable[[Row], None]
    tally: Tally = field(default_factory=Tally)
    done: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Write a row and count it."""
        self.write(row)
        self.tally.count(row)

    def needs(self, path: str) -> bool:
        """Return whether a row is missing; of an earlier run's rows each counts for one picture of its path."""
        if not self.done[path]:
            return True
        self.done[path] -= 1
        return False


@contextmanager
def printed_rows(top: int) -> Iterator[Sink]:
    """Yield what prints rows on stdout, as CSV with a header."""
    csv_header(sys.stdout, top)
    yield Sink(lambda row: csv_rows(sys.stdout, [row], top))
    sys.stdout.flush()


@contextmanager
def kept_rows(output: Path, header: dict[str, Any], top: int) -> Iterator[Sink]:
    """Yield what collects rows beside `output`, behind those of a stopped run with the same `header`.

    They are JSON lines in OUTPUT.partial.jsonl, the header first. When the block succeeds, `output` is written from
    them, in the format of its suffix, and they are deleted; otherwise they stay.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    partial, first = partial_rows(output), (json.dumps(header, sort_keys=True) + "\n").encode()
    end, tally, done = _earlier_rows(partial, first)
    with _appending(partial, first, end) as write:
        try:
            yield Sink(write, tally, done)
        except KeyboardInterrupt:
            logger.info("%d rows are kept in %s; the same command goes on from there", tally.pictures, partial)
            raise
    with replacing(output) as temporary:
        write_table(temporary, _rows(partial), top, output.suffix.lower())
    partial.unlink()


@contextmanager
def _appending(partial: Path, first: bytes, end: int) -> Iterator[Callable[[Row], None]]:
    """Yield what writes rows behind the first `end` bytes of `partial`; with 0, behind the line `first`."""
    with partial.open("r+b" if end else "wb", buffering=0) as file:
        file.truncate(end)
        file.seek(end)
        file.write(b"" if end else first)

        def write(row: Row) -> None:
            with naming_errors(partial):
                file.write(json_line(row).encode())

        yield write


def partial_rows(output: Path) -> Path:
    """Return where the rows of an unfinished `output` are."""
    return output.with_name(output.name + SUFFIX)


def _earlier_rows(partial: Path, first: bytes) -> tuple[int, Tally, Counter[str]]:
    """Return where the last whole row of an earlier run ends, 0 without one, the tally of its rows and their paths."""
    tally, done = Tally(), Counter[str]()
    if not partial.is_file():
        return 0, tally, done
    with partial.open("rb") as file:
        if file.readline() != first:
            logger.info("%s is of another model, other options or other paths; starts anew", partial)
            return 0, tally, done
        end = len(first)
        for line in file:
            if not line.endswith(b"\n"):  # the last one, cut when the process was killed
                break
            end += len(line)
            tally.count(row := json.loads(line))
            done[row["path"]] += 1
    logger.info("resumes after %s pictures, whose rows are in %s", f"{tally.pictures:,}", partial)
    return end, tally, done


def _rows(partial: Path) -> Iterator[Row]:
    with partial.open("rb") as file:
        file.readline()
        yield from map(json.loads, file)
