"""Pictures whose answer somebody has corrected: data/feedback/<label>/<sha256>.<suffix>, and a table of them."""

import csv
import glob
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from darkroom.core.files import remove, replacing

TABLE = "feedback.csv"
COLUMNS = ("path", "label", "predicted", "version")
Row = dict[str, str]


def save_feedback(folder: Path, data: bytes, suffix: str, label: str, predicted: str, version: str) -> Path:
    """Keep a picture's bytes with its right `label`, and a line in feedback.csv; return the path of the picture.

    `suffix` starts with a dot; `predicted` is what `version` of the model has answered. The path in the table is
    relative to `folder`. A picture has one line and one file: a new label replaces the earlier one, also where somebody
    has moved or deleted the file by hand. Processes may share the folder.
    Raises ValueError for a label that is no name of a folder.
    """
    if not is_folder_name(label):
        raise ValueError("the label is no name of a folder")
    name = f"{sha256(data).hexdigest()}{suffix}"
    row = {"path": f"{label}/{name}", "label": label, "predicted": predicted, "version": version}
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{TABLE}.lock"):
        path, rows = folder / row["path"], read_feedback(folder)
        earlier = [known for known in rows if Path(known["path"]).name == name]
        if not path.exists():
            with replacing(path) as temporary:
                temporary.write_bytes(data)
        if [known["path"] for known in earlier] != [row["path"]]:
            _write(folder / TABLE, [known for known in rows if known not in earlier] + [row])
        for other in folder.glob(f"*/{glob.escape(name)}"):
            if other.parent.name != label:
                remove(other)
    return path


def read_feedback(folder: Path) -> list[Row]:
    """Return the lines of feedback.csv, a value for each of COLUMNS; none when there is no such file."""
    if not (folder / TABLE).exists():
        return []
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        return [{name: row.get(name) or "" for name in COLUMNS} for row in csv.DictReader(file)]


def is_folder_name(label: str) -> bool:
    """Return whether a folder can have this name, anywhere."""
    if not label.strip() or label.startswith(".") or set(label) & set("/\\\0\r\n:"):
        return False
    return len(label.encode("utf-8", "replace")) < 200  # bytes: file systems allow 255


def _write(file: Path, rows: list[Row]) -> None:
    with replacing(file) as temporary, temporary.open("w", encoding="utf-8", newline="") as opened:
        table = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
