"""A path anywhere, made known below data/raw/: named, linked, copied or downloaded."""

import os
import re
import stat
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from darkroom.begin.facts import Facts, Proposal
from darkroom.begin.links import Files, bytes_to_copy, files_of, link_files, new_files
from darkroom.begin.look import BUILT_IN, look
from darkroom.begin.table_names import pictures_of
from darkroom.begin.web import download_file
from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS
from darkroom.core.sizes import size_text
from darkroom.core.suggestions import nearest
from darkroom.ingest.listing import is_table
from darkroom.ingest.table_source import is_address

RAW = ARTEFACTS["raw"]


@dataclass(frozen=True)
class Placed:
    """A source below data/raw/: the value for ingest.source, how it came there, at which cost in bytes, in words.

    `path` is where it lies; after a dry run, where it was found.
    """

    source: str
    how: Literal["named", "linked", "copied", "downloaded"]
    cost: int
    sentence: str
    path: Path


@dataclass(frozen=True)
class Outside:
    """A source that is not below data/raw/ yet: the value that ingest.source will have, and where it lies now.

    `files` are to be brought to `target`; then the source lies at `placed`, which for a table is a file in `target`.
    """

    source: str
    path: Path
    files: Files
    target: Path
    placed: Path


def place_and_look(path: str, root: Path, dry: bool) -> tuple[Placed, Facts, list[Proposal]]:
    """Make a folder, an archive, a table or a web address known below data/raw/ of the project `root`; look at it.

    What is found is looked at where it lies, and brought afterwards: a path that ingest would refuse is not placed. An
    address is downloaded first, as there is nothing else to look at. With `dry` nothing is written. Raises UserError.
    """
    raw = root.absolute() / RAW
    found = _download(path, raw, dry) if is_address(path) else find(path, raw)
    facts, proposals = look(root, found.source, found.path)
    return bring(found, dry), facts, proposals


def find(path: str, raw: Path) -> Placed | Outside:
    """Return the source that a path means, below data/raw/ (`raw`, absolute) or outside. Raises UserError."""
    found = _absolute_path(path, raw)
    if found is None:
        return Placed(BUILT_IN, "named", 0, "the built-in digits are used", raw)
    if raw in found.parents or raw.resolve() in found.resolve().parents:
        return _name(found, raw)
    _require_source(found, raw)
    files = _files(found)
    target = raw / _valid(found.name if files.single or found.is_dir() else found.stem)
    placed = files.below(target, str(found.relative_to(files.top)))
    outside = Outside(_source(placed, raw), found, files, target, placed)
    return outside if _new_files(outside).names else _brought_before(outside)


def bring(found: Placed | Outside, dry: bool) -> Placed:
    """Bring a source below data/raw/, unless it is there; with `dry` only say so. Raises UserError.

    Files are linked (hard links: the same bytes under a second name), or copied where that cannot be. A folder is no
    symbolic link, because DVC does not look behind one, so that new pictures would not be seen. A table brings the
    pictures that it names. A folder that was brought before gets its new files. Nothing is overwritten.
    """
    if isinstance(found, Placed):
        return found
    new, adds = _new_files(found), found.target.exists()
    if not new.names:  # another process has brought it, since it was found
        return _brought_before(found)
    copied = bytes_to_copy(new, found.target) if dry else link_files(new, found.target)
    how: Literal["copied", "linked"] = "copied" if copied else "linked"
    sentence = _sentence(found, len(new.names) if adds else 0, copied, dry)
    return Placed(found.source, how, copied, sentence, found.path if dry else found.placed)


def _new_files(found: Outside) -> Files:
    """Return the files that are not below data/raw/ yet. Raises UserError when others there differ."""
    return new_files(found.files, found.target, found.path, f"{RAW}/{found.placed.relative_to(found.target.parent)}")


def _brought_before(found: Outside) -> Placed:
    sentence = f"{RAW}/{found.target.name} holds {found.path} already and is used"
    return Placed(found.source, "named", 0, sentence, found.placed)


def _sentence(found: Outside, added: int, copied: int, dry: bool) -> str:
    """Return what is done; `added`: the number of files that a folder gets which was brought before, 0 if none was."""
    target, count = f"{RAW}/{found.target.name}", added or len(found.files.names)
    how, cost = ("copied", size_text(copied)) if copied else ("linked", "hard links, which take no space")
    one = size_text(copied) if copied else "a hard link, no space taken"
    if added:
        many = f"{count:,} new files, {cost}" if count > 1 else f"1 new file, {one}"
        return f"{target} {'would get' if dry else 'gets'} {many}"
    many = f"{count:,} files, {cost}" if count > 1 else one
    later = "" if found.files.single else f"; new pictures go to {target}"
    return f"{found.path} {'would be' if dry else 'is'} {how} to {target} ({many}){later}"


def _files(found: Path) -> Files:
    """Return the files of a folder; a table's with the pictures that it names; else the one file."""
    if found.is_dir():
        files = files_of(found)
        if not files.names:
            raise UserError(f"{found} holds no files; give a folder with a folder of pictures for each class")
        return files
    named = [found.parent / path for path in pictures_of(found)] if is_table(found) else []
    there = {os.path.normpath(path) for path in named if os.path.isfile(path)}  # noqa: PTH113 - no name is an error
    top = Path(os.path.commonpath([str(found.parent), *map(os.path.dirname, there)]))
    names = sorted(os.path.relpath(path, top) for path in {*there, str(found)})
    return Files(top, names, single=not there)


def _absolute_path(path: str, raw: Path) -> Path | None:
    """Return the absolute path of what `path` means, here or below data/raw/; None for the built-in digits."""
    for found in (Path(path).expanduser(), raw / path.removeprefix(f"{RAW}/")):
        absolute = Path(os.path.abspath(found))  # noqa: PTH100 - without following links
        if os.path.lexists(absolute):
            return absolute
    if path == BUILT_IN:
        return None
    here = Path(path).expanduser().absolute()
    beside = sorted(file.name for file in here.parent.iterdir()) if here.parent.is_dir() else []
    kept = [name for name in beside if not name.startswith(".")]
    known = nearest(here.name, kept) if kept else "" if here.parent.is_dir() else f"; there is no folder {here.parent}"
    raise UserError(f"{path} does not exist{known}")


def _name(found: Path, raw: Path) -> Placed:
    below = found if raw in found.parents else raw / found.resolve().relative_to(raw.resolve())
    sentence = f"{RAW}/{below.relative_to(raw)} is used where it is"
    if any(part.is_symlink() and part.is_dir() for part in (below, *below.parents) if raw in part.parents):
        sentence += "; it is a link to a folder, whose changes DVC does not see: a copy or hard links are safer"
    return Placed(_source(below, raw), "named", 0, sentence, below)


def _require_source(found: Path, raw: Path) -> None:
    """Raise UserError for what is no source, or holds the project."""
    if found == raw or found in raw.parents or found.resolve() in (raw.resolve(), *raw.resolve().parents):
        inside = sorted(file.name for file in raw.iterdir() if not file.name.startswith(".")) if raw.is_dir() else []
        known = f" (in {RAW} there is: {', '.join(inside[:12])})" if inside else ""
        raise UserError(f"{found} holds {RAW} itself; give the folder or the file with the pictures{known}")
    if found.is_dir() or is_table(found):
        return
    if not found.exists() or not stat.S_ISREG(found.stat().st_mode):
        raise UserError(f"{found} is neither a folder nor a file")
    require_archive(found, str(found))


def require_archive(file: Path, name: str) -> None:
    """Raise UserError for a file that is neither an archive nor a table; the message calls it `name`."""
    if not (is_table(file) or zipfile.is_zipfile(file) or tarfile.is_tarfile(file)):
        raise UserError(
            f"{name} is neither a .zip or .tar nor a table (.csv, .parquet); give a folder of class folders"
        )


def _download(address: str, raw: Path, dry: bool) -> Placed:
    target = raw / _valid(address.split("?")[0].split("#")[0].rstrip("/").rpartition("/")[2])
    if dry:
        raise UserError(f"{address}: a dry run downloads nothing; leave out --dry-run, or download it yourself")
    size = download_file(address, target, lambda file: require_archive(file, f"what {address} gives"))
    used = f"{address} is downloaded to {RAW}/{target.name} ({size_text(size)})"
    there = f"{RAW}/{target.name} is as large as what {address} gives and is used"
    return Placed(_source(target, raw), "downloaded" if size else "named", size, used if size else there, target)


def _valid(name: str) -> str:
    """Return a name that ingest, git, DVC and YAML take."""
    plain = re.sub(r"[^\w.+ -]+", "-", name).strip(". ") or "pictures"
    return re.sub(r"\.(partial|dvc)$", r"-\1", plain)


def _source(placed: Path, raw: Path) -> str:
    source = placed.relative_to(raw).as_posix()
    return f"{RAW}/{source}" if source == BUILT_IN else source
