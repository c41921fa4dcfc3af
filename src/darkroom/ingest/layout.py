"""What the folders mean: labels, given splits, and files that belong to nothing."""

import re
from dataclasses import dataclass, field
from sys import intern
from typing import Any
from unicodedata import normalize

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.core.tables import LEFT_OUT

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
HIDDEN = re.compile(r"/\.(?!\.?/)")  # .DS_Store, ._x, .git/, but not . and ..
SYSTEM_FOLDERS = ("/__macosx/", "/@eadir/", "/$recycle.bin/")
SYSTEM_NAMES = ("/thumbs.db", "/desktop.ini", ".dvc")


@dataclass(slots=True)
class Entry:
    """A file of the source, with the label and split that its folders or its table give it."""

    path: str  # "/" between folders
    size: int = 0  # bytes; 0 when only reading tells
    label: str | None = None
    given_split: str | None = None
    error: str | None = None
    refused: bool = False  # not even to be read
    group: str | None = None  # a patient, a video ... that the source names; its pictures stay in one split
    location: Any = None  # all that the source needs to read it; small
    feedback: bool = False  # from data/feedback/
    attributes: str | None = None  # JSON text, {column: value} of the table's further columns
    stamp: int = field(default=0, compare=False)  # of the last change of its content; 0 where the source does not say
    remote: bool = False  # reading it waits for a network


def as_text(name: str) -> str:
    """Return the name of a file or folder, which may be any bytes, as text that can be written."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def is_system_file(path: str) -> bool:
    """Tell whether a program, not the user, left this file: .DS_Store, Thumbs.db, __MACOSX/x, any hidden one."""
    name = f"/{path.lower()}"
    if "/." in name and HIDDEN.search(name):
        return True
    return name.endswith(SYSTEM_NAMES) or any(folder in name for folder in SYSTEM_FOLDERS)


def read_layout(entries: list[Entry]) -> list[Entry]:
    """Write label, given_split and error into each entry, as its folders say; return the same list.

    Class folders, or train/test[/val] folders with class folders in them; below a class folder any depth.
    A single folder above the class folders, as archives often have, is passed over; so are several in a row.
    """
    folders = {entry.path.rpartition("/")[0] for entry in entries if not entry.refused}
    parts = [f"{folder}/a file".split("/") if folder else ["a file"] for folder in folders]
    depth = _top_depth(parts)
    splits = _split_folders(parts, depth)
    for entry in entries:
        if not entry.refused:
            _place(entry, entry.path.split("/")[depth:], splits)
    return entries


def relabel(entries: list[Entry], labels: dict[str, str | None]) -> list[Entry]:
    """Rename or join folders, or leave them out and unread where the label is nothing; return the same list.

    Raises UserError when no file has a folder that `labels` names.
    """
    folders = {entry.label for entry in entries if entry.label is not None}
    new = {normalize("NFC", folder): label for folder, label in labels.items()}
    for folder in new:
        if folder not in folders:
            raise UserError(
                f"params.yaml: ingest.labels.{folder}: no such class folder{nearest(folder, sorted(folders))}"
            )
    for entry in entries:
        if entry.label in new:
            entry.label = new[entry.label]
            if entry.label is None:
                entry.error, entry.refused = LEFT_OUT, True
    return entries


def _top_depth(parts: list[list[str]]) -> int:
    """Return how many single folders stand above the class folders."""
    depth = 0
    while True:
        folders = {path[depth] for path in parts if len(path) > depth + 1}
        if len(folders) != 1:
            return depth if folders else 0
        depth += 1


def _split_folders(parts: list[list[str]], depth: int) -> dict[str, str]:
    """Return {folder: split} when the folders are splits: train, with class folders in it, and another one."""
    tops = {path[depth] for path in parts if len(path) > depth + 1}
    splits = {top: SPLIT_FOLDERS[top.lower()] for top in tops if top.lower() in SPLIT_FOLDERS}
    with_classes = {splits.get(path[depth]) for path in parts if len(path) > depth + 2}
    return splits if "train" in with_classes and len(set(splits.values())) > 1 else {}


def _place(entry: Entry, path: list[str], splits: dict[str, str]) -> None:
    wanted = 3 if splits else 2
    if len(path) < wanted:
        entry.error = "not in a class folder"
    elif splits and path[0] not in splits:
        entry.error = f"not in {', '.join(sorted(splits))}"
    else:
        label = intern(path[wanted - 2])  # one text for a class, not one for each file
        entry.label = label if label.isascii() else normalize("NFC", label)  # macOS stores é as e and an accent
        entry.given_split = splits.get(path[0]) if splits else None
