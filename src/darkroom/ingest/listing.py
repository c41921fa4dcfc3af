"""What there is to read: the source that params.yaml names, opened, and an entry for each of its files."""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path, PurePosixPath

from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS, cache_folder, project_root, workspace
from darkroom.execution.scratch import scratch_folder
from darkroom.ingest.archives import refuse_repeats
from darkroom.ingest.buckets import Bucket, is_single
from darkroom.ingest.cifar import CifarBatches, holds_batches
from darkroom.ingest.layout import Entry, is_system_file, read_layout, relabel
from darkroom.ingest.sources import Folder, Source, archive_errors, write_digits
from darkroom.ingest.table_source import Table
from darkroom.ingest.tars import TarArchive, plain_tar
from darkroom.ingest.zips import ZipArchive
from darkroom.params.data import Columns, Ingest

TABLE_SUFFIXES = (".csv", ".parquet")


@contextmanager
def open_ingest_source(params: Ingest, raw: Path) -> Iterator[Source]:
    """Open `ingest.source`: the built-in digits, a bucket's address, or a path below data/raw/; raises UserError."""
    where = _where(params)
    if params.source == "digits":
        with scratch_folder(cache_folder()) as folder:
            write_digits(folder)
            yield Folder(folder)
        return
    if "://" in params.source:
        with _open_address(params, where) as opened:
            yield opened
        return
    source = _below_raw(params.source)
    path = (raw / source).absolute()
    if raw.absolute() not in path.parents or ".." in path.parts:
        raise UserError(f"{where}: must be a path below data/raw/; copy or link the pictures there")
    if not path.exists() and workspace() != project_root():  # dvc exp run --temp, or the queue
        raise UserError(f"{where}: is not in the experiment's own folder; `dvc add data/raw/{source}`, then try again")
    with open_path(path, raw.absolute(), params.columns, where) as opened:
        yield opened


def list_entries(source: Source, params: Ingest) -> tuple[list[Entry], int]:
    """Return what `list_files` does, with the labels that params.yaml gives; raises UserError where they do not fit."""
    found, system_files = list_files(source, _where(params))
    return relabel(found, params.labels), system_files


def list_files(source: Source, where: str) -> tuple[list[Entry], int]:
    """Return an entry for each file, sorted by path, and the number of system files, which are passed over.

    Raises UserError starting with `where` when the source is damaged or a bomb.
    """
    with archive_errors(where):
        found = sorted(source.walk(), key=attrgetter("path"))
    if source.labelled:
        return found, 0
    kept = [entry for entry in found if not is_system_file(entry.path)]
    return read_layout(refuse_repeats(kept)), len(found) - len(kept)


@contextmanager
def _open_address(params: Ingest, where: str) -> Iterator[Source]:
    """Open what is in a bucket: objects are read in place, an archive or a table is copied first."""
    bucket = Bucket(params.source)
    if not is_single(params.source):
        yield bucket
        return
    with scratch_folder(cache_folder()) as folder:
        with archive_errors(where):
            file = bucket.download(folder)
        if is_table(file):
            yield Table(file, file.parent, params.columns, cache_folder() / "downloads", bucket.above())
            return
        with open_source(file, where) as opened:
            yield opened


@contextmanager
def open_path(path: Path, raw: Path, columns: Columns, where: str) -> Iterator[Source]:
    """Open a table, whose paths may not leave the folder `raw`, a folder or an archive; see `open_source`."""
    if is_table(path):
        yield Table(path, raw, columns, cache_folder() / "downloads")
        return
    with open_source(path, where) as opened:
        yield opened


def is_table(path: Path) -> bool:
    """Tell whether a path is that of a table, by its suffix."""
    return path.is_file() and path.suffix.lower() in TABLE_SUFFIXES


@contextmanager
def open_source(path: Path, where: str) -> Iterator[Source]:
    """Open a folder or an archive; raises UserError starting with `where` when it cannot be read."""
    if not path.exists():
        raise UserError(f"{where}: {path.name} does not exist in {path.parent}; {_contents(path.parent)}")
    if path.is_dir():
        yield _batches_or(Folder(path))
    elif zipfile.is_zipfile(path):
        yield ZipArchive(path)
    else:
        with scratch_folder(cache_folder()) as folder:
            with archive_errors(where):
                opened = _batches_or(TarArchive(plain_tar(_tar(path), folder)))
            yield opened


def _where(params: Ingest) -> str:
    return f"params.yaml: ingest.source = {params.source!r}"


def _below_raw(source: str) -> str:
    """Return a source without data/raw/ in front, which many people write."""
    path, raw = PurePosixPath(source), PurePosixPath(ARTEFACTS["raw"])
    return str(path.relative_to(raw) if path.is_relative_to(raw) else path)


def _batches_or(source: Source) -> Source:
    return CifarBatches(source) if holds_batches(source) else source


def _tar(path: Path) -> Path:
    if tarfile.is_tarfile(path):
        return path
    known = "a folder nor a whole .zip or .tar, nor a table (.csv, .parquet)"
    raise UserError(f"is neither {known}; copy it again if it should be one")


def _contents(folder: Path) -> str:
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    return (
        f"there is: {', '.join(names[:10])}"
        if names
        else f"put a folder of class folders, a .zip or a .tar into {folder}"
    )
