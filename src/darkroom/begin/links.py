"""Files under a second name: hard links where the file system allows, else copies; never over other files."""

import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.core.files import replacing
from darkroom.core.sizes import size_text
from darkroom.ingest.layout import is_system_file
from darkroom.ingest.sources import Folder

RESERVE = 1_000_000_000  # bytes that stay free on the disk


@dataclass(frozen=True)
class Files:
    """Files below the folder `top`, by their sorted paths relative to it; `single`: one that stands for itself."""

    top: Path
    names: list[str]
    single: bool

    def below(self, target: Path, name: str) -> Path:
        """Return where a file lies once all of them have been brought to `target`."""
        return target if self.single else target / name


def files_of(folder: Path) -> Files:
    """Return the files of a folder as ingest lists them: also those behind links, but no system files."""
    entries = [entry for entry in Folder(folder).walk() if not entry.refused and not is_system_file(entry.path)]
    return Files(folder, sorted(entry.path for entry in entries), single=False)


def link_files(files: Files, target: Path) -> int:
    """Bring files to `target`, all or none; return the bytes copied. Raises UserError when there is no room."""
    copied = bytes_to_copy(files, target)
    if copied and copied + RESERVE > shutil.disk_usage(_existing(target)).free:
        raise UserError(f"{target.parent} has no room for a copy of {size_text(copied)}; free some space first")
    copied = 0
    with replacing(target) as partial, _opened(files.top) as top:
        for folder in {name.rpartition("/")[0] for name in files.names}:
            (partial.parent if files.single else partial / folder).mkdir(parents=True, exist_ok=True)
        for name in files.names:  # texts, because a Path for each of many files takes seconds
            copied += _link(name, str(partial) if files.single else f"{partial}/{name}", files.top, top)
    return copied


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Yield the descriptor of a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _link(name: str, to: str, folder: Path, descriptor: int) -> int:
    """Link or copy a file of a folder; return the bytes copied."""
    try:
        os.link(name, to, src_dir_fd=descriptor)  # with a descriptor it is the file behind a link, not the link
    except OSError:  # another file system, or one without links, or a file of another user
        shutil.copy2(folder / name, to)
        return os.stat(to).st_size  # noqa: PTH116
    return 0


def bytes_to_copy(files: Files, target: Path) -> int:
    """Return the bytes that `link_files` will copy: those on another file system than `target`."""
    device = _existing(target).stat().st_dev
    if not files.single and os.stat(files.top).st_dev == device:  # noqa: PTH116 - links below it to elsewhere are rare
        return 0
    facts = [os.stat(files.top / name) for name in files.names]  # noqa: PTH116
    return sum(one.st_size for one in facts if one.st_dev != device)


def require_same(files: Files, target: Path, found: Path) -> None:
    """Raise UserError unless `target` holds these files and no others; those of one size and time count as equal."""
    there = files_of(target).names if target.is_dir() else [""]
    wanted = [""] if files.single else files.names
    other = sorted(set(there) ^ set(wanted))
    if not other:
        pairs = ((name, files.top / name, files.below(target, name)) for name in files.names)
        other = [name for name, one, two in pairs if not filecmp.cmp(one, two)]
    if other:
        example = f", for example {other[0]}" if not files.single and target.is_dir() else ""
        raise UserError(
            f"{target} is there already and differs from {found}{example}; begin with {target} to use it as it is, "
            f"or rename or delete it first"
        )


def _existing(path: Path) -> Path:
    """Return the nearest folder above `path` that exists."""
    return next(folder for folder in path.parents if folder.is_dir())
