"""Which rows are listed, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

from darkroom.core.errors import UserError
from darkroom.experiments.rows import Row, columns_of
from darkroom.experiments.where import TEXTS, find_key, keys_of, number, parse
from darkroom.tracking.headlines import HEADLINES, LOWER_IS_BETTER


@dataclass(frozen=True)
class Listing:
    """The rows that are shown, in their order, of `all` that there are; the columns; those that were asked about."""

    rows: list[Row]
    all: int
    columns: list[str]
    asked: list[str]


def chosen_rows(rows: list[Row], where: str, sort: str) -> Listing:
    """Return the rows of which the filter `where` is true, sorted by the key `sort`; both may be empty.

    Raises UserError for a filter that cannot be read and for an unknown key.
    """
    known = list(dict.fromkeys(key for row in rows for key in row.values))
    condition = parse(where, known) if where.strip() else None
    key = _sort_key(sort.removeprefix("-"), known) if sort else ""
    shown = [row for row in rows if condition is None or condition.holds(row.values)]
    if key:
        shown = sort_rows(shown, key, sort.startswith("-"))
    asked = dict.fromkeys([key, *keys_of(condition)] if condition else [key])
    columns = columns_of(shown, asked)
    return Listing(shown, len(rows), columns, [key for key in asked if key in columns])


def _sort_key(text: str, known: Sequence[str]) -> str:
    try:
        return find_key(text, known)
    except UserError as error:
        raise UserError(f"--sort: {error}") from None


def sort_rows(rows: list[Row], key: str, turned: bool) -> list[Row]:
    """Return rows by a key: of a metric the best first, the latest start first, else the smallest; `turned`: the last.

    Both ways numbers come before texts, and rows without a value last. Equal ones keep their order.
    """
    falling = ((key in HEADLINES and key not in LOWER_IS_BETTER) or key == "started") != turned

    def place(row: Row) -> tuple[int, float, str]:
        value = row.values.get(key, "")
        amount = None if key in TEXTS else number(value)
        rank = 2 if value == "" else int(amount is None)
        return -rank if falling else rank, amount or 0.0, str(value)

    return sorted(rows, key=place, reverse=falling)
