"""Every file of the source read once: packed when it is a picture, listed with the reason when it is not."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pandas as pd

from darkroom.data.decode import UnreadablePicture, inspect
from darkroom.data.layout import Entry
from darkroom.data.sources import Source
from darkroom.errors import UserError
from darkroom.progress import progress
from darkroom.tables import LEFT_OUT, MANIFEST

FILES_PER_SHARD = 1024
BYTES_PER_SHARD = 64_000_000
MAX_FILE_BYTES = 256_000_000  # larger ones are videos and archives, not pictures


def pack(source: Source, entries: list[Entry], folder: Path, executor: Executor) -> pd.DataFrame:
    """Write the pictures to `folder`/part-00000.parquet ... (image_id, bytes) and return the manifest.

    A shard holds neighbours by path, so that its content does not depend on the number of processes.
    """
    folder.mkdir(parents=True)
    jobs = [
        executor.submit(_pack_shard, source, shard, folder / f"part-{number:05d}.parquet")
        for number, shard in enumerate(_shards(entries))
    ]
    rows = [
        row
        for job in progress(jobs, len(jobs), f"ingest, in packs of up to {FILES_PER_SHARD} files")
        for row in job.result()
    ]
    return pd.DataFrame(rows, columns=list(MANIFEST)).astype(MANIFEST).sort_values("image_id", ignore_index=True)


def _shards(entries: list[Entry]) -> Iterator[list[Entry]]:
    shard: list[Entry] = []
    size = 0
    for entry in entries:
        if shard and (len(shard) == FILES_PER_SHARD or size + entry.size > BYTES_PER_SHARD):
            yield shard
            shard, size = [], 0
        shard.append(entry)
        size += entry.size
    if shard:
        yield shard


def _pack_shard(source: Source, entries: list[Entry], path: Path) -> list[dict[str, Any]]:
    """Read and check one shard's files, write the pictures, return their manifest rows (runs in a worker)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, pictures = [], []
    for entry in entries:
        row, data = _examine(source, entry)
        rows.append(row)
        if row["error"] is None:
            pictures.append((row["image_id"], data))
    if pictures:
        ids, contents = zip(*sorted(pictures), strict=True)
        table = pa.table({"image_id": pa.array(ids), "bytes": pa.array(contents, pa.binary())})
        pq.write_table(table, path, compression="none", use_dictionary=False, row_group_size=256)
    return rows


def _examine(source: Source, entry: Entry) -> tuple[dict[str, Any], bytes]:
    """Return a manifest row and the bytes of one file."""
    error, facts, data, content = entry.error, dict.fromkeys(MANIFEST), b"", None
    try:
        if entry.size > MAX_FILE_BYTES:
            raise UnreadablePicture(f"{entry.size:,} bytes is too large for a picture")
        if entry.refused:
            raise UnreadablePicture(str(entry.error))
        data = source.read(entry.path)
        content = hashlib.sha256(data).hexdigest()
        if error is None:
            facts |= inspect(data)
    except UnreadablePicture as problem:
        error = str(problem)
    except OSError as problem:
        error = f"cannot be read: {problem.strerror or problem}"
    path, label = _as_text(entry.path), _as_text(entry.label) if entry.label is not None else None
    name = hashlib.sha256(f"{path}\0{content}".encode()).hexdigest()[:20]
    known = {"image_id": name, "path": path, "label": label, "given_split": entry.given_split}
    return facts | known | {"sha256": content, "bytes": entry.size, "error": error}, data


def _as_text(name: str) -> str:
    """Return the name of a file or folder, which may be any bytes, as text that can be written."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def check_classes(manifest: pd.DataFrame, source: str) -> None:
    """Raise UserError unless there are two classes or more, with two pictures or more each."""
    where = f"params.yaml: ingest.source = {source!r}"
    if manifest.empty:
        raise UserError(f"{where}: holds no files; put a folder of pictures for each class into it")
    counts = manifest[manifest["error"].isna()]["label"].value_counts().sort_index()
    if counts.empty:
        example = manifest.sort_values("path").iloc[0]
        raise UserError(f"{where}: none of its {len(manifest)} files is a picture ({example.path}: {example.error})")
    if len(counts) == 1:
        raise UserError(
            f"{where}: has one class only, {counts.index[0]!r}; a classifier needs a folder for each of two or more"
        )
    single = counts[counts == 1]
    if len(single):
        raise UserError(f"{where}: class {single.index[0]!r} has one picture; give it more or take its folder away")


def headline(report: dict[str, Any]) -> str:
    """Return what the terminal says of a finished ingest; a file that is left out is never passed over in silence."""
    text = f"ingest: {report['pictures']} pictures of {report['classes']} classes"
    if report["unreadable"]:
        text += f"; {report['unreadable']} files are no readable pictures, data/manifest.parquet says why"
    if report["left_out"]:
        text += f"; {report['left_out']} {LEFT_OUT}"
    if report["folders_without_pictures"]:
        text += f"; no picture in the folders {', '.join(report['folders_without_pictures'])}"
    return text


def summarise(manifest: pd.DataFrame, system_files: int) -> dict[str, Any]:
    """Return the report: counts, classes, the reasons for what was left out, and the content's digest."""
    from darkroom.files import digest

    pictures = manifest[manifest["error"].isna()]
    left_out = int((manifest["error"] == LEFT_OUT).sum())
    return {
        "pictures": len(pictures),
        "unreadable": len(manifest) - len(pictures) - left_out,
        "left_out": left_out,
        "system_files": system_files,
        "classes": pictures["label"].nunique(),
        "folders_without_pictures": sorted(set(manifest["label"].dropna()) - set(pictures["label"])),
        "pictures_per_class": pictures["label"].value_counts().to_dict(),
        "unreadable_because": manifest["error"].value_counts().to_dict(),
        "digest": digest(manifest[["image_id", "label"]].fillna("").to_numpy().tolist()),
    }
