"""Outputs that get their names together: all of them or, when that fails, none."""

import errno
from pathlib import Path

from darkroom.core.files import partial_path, remove


def commit(paths: list[Path], journal: Path) -> None:
    """Rename what was written to the partial paths of `paths` to its final names, in place of what was there.

    A failure renames everything back. The file `journal` exists while it lasts, so that `recover` can complete what a
    killed process began. Raises FileNotFoundError when something was not written.
    """
    for path in paths:
        if not partial_path(path).exists():
            raise FileNotFoundError(errno.ENOENT, "the stage did not write its output", str(path))
    journal.touch()
    begun: list[Path] = []
    try:
        for path in paths:
            begun.append(path)
            _swap_in(path)
    except BaseException:
        for path in reversed(begun):
            _swap_back(path)
        journal.unlink()
        raise
    journal.unlink()
    for path in paths:
        remove(_previous(path))


def recover(paths: list[Path], journal: Path) -> None:
    """Complete a commit that was cut off, then delete what has a temporary name."""
    if journal.exists():
        for path in paths:
            if partial_path(path).exists():
                remove(path)
                partial_path(path).rename(path)
        journal.unlink()
    for path in paths:
        remove(partial_path(path))
        remove(_previous(path))


def _previous(path: Path) -> Path:
    """Return the name of the version before while the new one takes its place."""
    return path.with_name(path.name + ".old.partial")


def _swap_in(path: Path) -> None:
    if path.exists():
        path.rename(_previous(path))
    partial_path(path).rename(path)


def _swap_back(path: Path) -> None:
    if not partial_path(path).exists():
        path.rename(partial_path(path))
    if _previous(path).exists():
        _previous(path).rename(path)
