"""Files under a second name: hard links where the file system allows, else copies; never over other files."""

import filecmp
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
    """Bring files to `target`, all or none; return the bytes copied.

    To a folder that is there they are added one by one. Raises UserError when there is no room.
    """
    copied = bytes_to_copy(files, target)
    if copied and copied + RESERVE > shutil.disk_usage(_existing(target)).free:
        raise UserError(f"{target.parent} has no room for a copy of {size_text(copied)}; free some space first")
    if target.is_dir():
        return sum(_add(name, files.top, target) for name in files.names)
    copied = 0
    with replacing(target) as partial, _opened(files.top) as top:
        for folder in {name.rpartition("/")[0] for name in files.names}:
            (partial.parent if files.single else partial / folder).mkdir(parents=True, exist_ok=True)
        for name in files.names:  # texts, because a Path for each of many files takes seconds
            copied += _link(name, str(partial) if files.single else f"{partial}/{name}", files.top, top)
    return copied


def _add(name: str, folder: Path, target: Path) -> int:
    with replacing(target / name) as partial, _opened(folder) as top:
        return _link(name, str(partial), folder, top)


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
    """Return the bytes that `link_files` will copy: of files on another file system, and those Linux does not link."""
    device, user, copied = _existing(target).stat().st_dev, os.geteuid(), 0
    for name in files.names:
        path = f"{files.top}/{name}"
        facts = os.stat(path)  # noqa: PTH116
        own = facts.st_uid == user or os.access(path, os.R_OK | os.W_OK)  # of another user's files only these
        copied += 0 if own and facts.st_dev == device else facts.st_size
    return copied


def new_files(files: Files, target: Path, found: Path, source: str) -> Files:
    """Return the files that `target` lacks; those of one size and time count as equal.

    Raises UserError when others differ, or only `target` has them. `found` is where the files come from, `source` what
    would be given to use those of `target`.
    """
    if not os.path.lexists(target):
        return files
    wanted = set(files.names)
    there = wanted if files.single else set(files_of(target).names if target.is_dir() else [""])
    pairs = ((name, files.top / name, files.below(target, name)) for name in wanted & there)
    different = there - wanted | {name for name, one, two in pairs if not filecmp.cmp(one, two)}
    if target.is_symlink():  # nothing is written to where it leads
        different |= wanted - there
    if different:
        example = f", for example {min(different)}" if not files.single and target.is_dir() else ""
        raise UserError(
            f"{target} is there already and differs from {found}{example}; rename or delete it first, or use it as it "
            f"is: make repro SOURCE={shlex.quote(source)}"
        )
    return replace(files, names=sorted(wanted - there))


def _existing(path: Path) -> Path:
    """Return the nearest folder above `path` that exists."""
    return next(folder for folder in path.parents if folder.is_dir())
