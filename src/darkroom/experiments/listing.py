"""`darkroom runs`: reads the rows of the store, writes the files that are asked for, and prints."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.experiments.chosen import Listing, chosen_rows
from darkroom.experiments.rows import REMEDY, read_rows
from darkroom.experiments.runs_page import write_page
from darkroom.experiments.table import plain_lines, print_fitted, write_csv
from darkroom.tracking.store import existing_store

logger = logging.getLogger(__name__)


def list_runs(where: str, sort: str, table: Path | None, page: Path | None) -> int:
    """Print the rows and write the files that are asked for; return 0. Raises UserError."""
    with existing_store("reading its runs", REMEDY) as client:
        found = chosen_rows(read_rows(client), where, sort)
    if table:
        _write(table, "--csv", lambda: write_csv(table, found.rows, found.columns))
    if page:
        _write(page, "--html", lambda: write_page(page, found, where))
    _show(found)
    return 0


def _show(found: Listing) -> None:
    if not found.rows:
        print(f"none of the {found.all} runs matches")
    elif sys.stdout.isatty():
        hidden = print_fitted(found.rows, found.columns, found.asked, sys.stdout)
        print("\n".join(_remarks(found, hidden)))
    else:
        print("\n".join(plain_lines(found.rows, found.columns)))


def _remarks(found: Listing, hidden: list[str]) -> list[str]:
    count = f"{len(found.rows)} of {found.all} runs" if len(found.rows) < found.all else f"{found.all} runs"
    if not hidden:
        return [f"\n{count}"]
    names = ", ".join(hidden[:6]) + (", ..." if len(hidden) > 6 else "")
    noun = "column is" if len(hidden) == 1 else "columns are"
    return [f"\n{count}; {len(hidden)} {noun} hidden ({names}): --csv and --html have all"]


def _write(path: Path, option: str, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        raise UserError(f"{option} {path}: cannot be written: {error.strerror or error}") from None
    logger.info("wrote %s", path)
