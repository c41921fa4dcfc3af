"""The rows of predictions, and the files that hold them."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from darkroom.core.files import DECIMALS

COLUMNS = ("path", "label", "score", "set", "abstains", "error", "ood_score")
BETWEEN = "|"  # class names of a set in CSV
ROW_GROUP = 10_000  # rows of a Parquet file that are in memory at a time

Row = dict[str, Any]  # a value for each column; None where there is none


def columns(top: int) -> list[str]:
    """Return the columns: COLUMNS, and for the other of the `top` classes label_2, score_2 and so on."""
    others = [f"{name}_{place}" for place in range(2, top + 1) for name in ("label", "score")]
    return [*COLUMNS, *others]


def make_row(path: str, answer: Mapping[str, Any] | None, error: str | None, top: int) -> Row:
    """Return the row of a picture: its answer, or why it has none. Scores are rounded to DECIMALS places."""
    if answer is None:
        return {**dict.fromkeys(columns(top)), "path": path, "error": error}
    row = {name: answer.get(name) for name in COLUMNS} | {"path": path}
    row |= {name: round(answer[name], DECIMALS) for name in ("score", "ood_score")}
    for place, (label, share) in enumerate(best_classes(answer, top)[1:], start=2):
        row |= {f"label_{place}": label, f"score_{place}": round(share, DECIMALS)}
    return row


def best_classes(answer: Mapping[str, Any], top: int) -> list[tuple[str, float]]:
    """Return the `top` most probable classes with their shares, the best first."""
    if top == 1:
        return [(answer["label"], answer["score"])]
    return sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:top]


def csv_header(file: TextIO, top: int) -> None:
    """Write the names of the columns."""
    csv.writer(file, lineterminator="\n").writerow(columns(top))


def csv_rows(file: TextIO, rows: Iterable[Row], top: int) -> None:
    """Write rows as CSV: a set as its classes with "|" between them, true and false in lower case."""
    names = columns(top)
    csv.writer(file, lineterminator="\n").writerows([_cell(row[name]) for name in names] for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return BETWEEN.join(value)
    return str(value).lower() if isinstance(value, bool) else value


def json_line(row: Row) -> str:
    """Return a row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False) + "\n"


def write_table(path: Path, rows: Iterator[Row], top: int, kind: str) -> None:
    """Write all rows to `path` as `kind`: .csv, .jsonl or .parquet."""
    if kind == ".parquet":
        _write_parquet(path, rows, top)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        if kind == ".csv":
            csv_header(file, top)
            csv_rows(file, rows, top)
        else:
            file.writelines(map(json_line, rows))


def _write_parquet(path: Path, rows: Iterator[Row], top: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"score": pa.float64(), "ood": pa.float64(), "set": pa.list_(pa.string()), "abstains": pa.bool_()}
    schema = pa.schema([(name, kinds.get(name.partition("_")[0], pa.string())) for name in columns(top)])
    with pq.ParquetWriter(path, schema) as writer:
        held: list[Row] = []
        for row in rows:
            held.append(row)
            if len(held) == ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(held, schema))
                held = []
        if held:
            writer.write_table(pa.Table.from_pylist(held, schema))
