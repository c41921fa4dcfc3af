"""What the folders mean: labels, given splits, and files that belong to nothing."""

from dataclasses import dataclass, replace
from typing import Any

from darkroom.data.sources import Member
from darkroom.errors import UserError
from darkroom.params.load import nearest
from darkroom.tables import LEFT_OUT

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
SYSTEM_FOLDERS = {"__macosx", ".ipynb_checkpoints", "@eadir"}
SYSTEM_NAMES = {".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Entry:
    """A file of the source and what its folders say of it."""

    path: str
    size: int
    label: str | None
    given_split: str | None
    error: str | None = None
    refused: bool = False  # not even to be read
    group: str | None = None  # what belongs together by the source's own word
    location: Any = None  # what the source needs to read it


def is_system_file(path: str) -> bool:
    """Tell whether an operating system, not a person, left this file: .DS_Store, Thumbs.db, __MACOSX/._x."""
    *folders, name = path.lower().split("/")
    return name in SYSTEM_NAMES or name.startswith("._") or bool(SYSTEM_FOLDERS & set(folders))


def read_layout(members: list[Member]) -> list[Entry]:
    """Return an entry for each file, in the order given.

    Class folders, or train/test[/val] folders with class folders in them; below a class folder any depth.
    A single folder above the class folders, as archives often have, is passed over; so are several in a row.
    """
    parts = [tuple(member.path.split("/")) for member in members]
    readable = [path for member, path in zip(members, parts, strict=True) if not member.refused]
    depth = _top_depth(readable)
    splits = _split_folders(readable, depth)
    return [_entry(member, path[depth:], splits) for member, path in zip(members, parts, strict=True)]


def relabel(entries: list[Entry], labels: dict[str, str | None]) -> list[Entry]:
    """Return the entries with folders renamed, joined or, where the label is nothing, left out and not read.

    Raises UserError when no file has a folder that `labels` names.
    """
    folders = {entry.label for entry in entries if entry.label is not None}
    for folder in labels:
        if folder not in folders:
            raise UserError(
                f"params.yaml: ingest.labels.{folder}: no such class folder{nearest(folder, sorted(folders))}"
            )
    return [_relabelled(entry, labels) if entry.label in labels else entry for entry in entries]


def _relabelled(entry: Entry, labels: dict[str, str | None]) -> Entry:
    label = labels[str(entry.label)]
    if label is None:
        return replace(entry, label=None, error=LEFT_OUT, refused=True)
    return replace(entry, label=label)


def _top_depth(parts: list[tuple[str, ...]]) -> int:
    """Return how many single folders stand above the class folders."""
    depth = 0
    while True:
        folders = {path[depth] for path in parts if len(path) > depth + 1}
        if len(folders) != 1:
            return depth if folders else 0
        depth += 1


def _split_folders(parts: list[tuple[str, ...]], depth: int) -> dict[str, str]:
    """Return {folder: split} when the folders are splits: train, with class folders in it, and another one."""
    tops = {path[depth] for path in parts if len(path) > depth + 1}
    splits = {top: SPLIT_FOLDERS[top.lower()] for top in tops if top.lower() in SPLIT_FOLDERS}
    with_classes = {splits.get(path[depth]) for path in parts if len(path) > depth + 2}
    return splits if "train" in with_classes and len(set(splits.values())) > 1 else {}


def _entry(member: Member, path: tuple[str, ...], splits: dict[str, str]) -> Entry:
    if member.refused:
        return Entry(member.path, member.size, None, None, member.refused, refused=True)
    wanted = 3 if splits else 2
    if len(path) < wanted:
        return Entry(member.path, member.size, None, None, "not in a class folder")
    if splits and path[0] not in splits:
        return Entry(member.path, member.size, None, None, f"not in {', '.join(sorted(splits))}")
    return Entry(member.path, member.size, path[wanted - 2], splits.get(path[0]) if splits else None)
