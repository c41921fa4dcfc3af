"""Every file of the source read once: packed when it is a picture, listed with the reason when it is not."""

import logging
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.fingerprint import table_digest
from darkroom.core.tables import LEFT_OUT
from darkroom.execution.cluster import on_cluster
from darkroom.execution.progress import progress
from darkroom.execution.ray_executor import kept_here
from darkroom.execution.tasks import in_order
from darkroom.images.convert import Depth
from darkroom.images.known import known_facts
from darkroom.images.suffixes import wrong_suffix
from darkroom.ingest.buckets import is_bucket
from darkroom.ingest.examine import pack_shard, require_same_everywhere
from darkroom.ingest.layout import Entry
from darkroom.ingest.manifest import write_manifest
from darkroom.ingest.packing import Pack, find_pack, pack_folder
from darkroom.ingest.sources import Reader

FILES_PER_SHARD = 512  # about; never more than twice as many
BYTES_PER_SHARD = 64_000_000  # at most, about half as many where files are large
LISTED_PATHS = 20  # paths that the report lists
UNKNOWN_SIZE = 2_000_000  # bytes, assumed for a file whose size is not known before it is read
logger = logging.getLogger(__name__)


def pack(
    source: Reader,
    entries: Iterable[Entry],
    folder: Path,
    manifest: Path,
    cache: Path,
    executor: Executor,
    depth: Depth,
) -> None:
    """Write the pictures to `folder`/part-00000.parquet ... (see images.packed) and the manifest to a file.

    `entries`, sorted by path, are gone through several times; nothing is kept that grows with their number but names.
    A shard holds neighbours by path, so that its content does not depend on the number of processes. What `cache`
    knows of a content is not found out again, and shards that a stopped run has finished are not read again.
    """
    if on_cluster():
        require_same_everywhere(source, entries)
    folder.mkdir(parents=True)
    known = known_facts(cache, depth)
    with pack_folder(cache, source, known.file.name) as kept:
        packs = [find_pack(kept, shard) for shard in shards(entries)]
        if finished := sum(pack.finished for pack in packs):
            logger.info("resumes after %d of %d packs", finished, len(packs))
        memory = kept_here(known, executor)
        calls = (
            partial(pack_shard, source, shard, pack, memory, depth)
            for shard, pack in zip(shards(entries), packs, strict=True)
            if not pack.finished
        )
        label = f"packs of some {FILES_PER_SHARD} files"
        for _ in progress(in_order(executor, calls), len(packs) - finished, label):
            pass
        write_manifest([pack.facts for pack in packs], manifest, kept)
        _name_packs(packs, folder)


def _name_packs(packs: list[Pack], folder: Path) -> None:
    """Give the packs their numbers in the folder; a pack without pictures has no file.

    Their facts, which are in the manifest now, are deleted first: without them no pack counts as finished.
    """
    for pack in packs:
        pack.facts.unlink()
    for number, pack in enumerate(packs):
        if pack.pictures.exists():
            shutil.move(pack.pictures, folder / f"part-{number:05d}.parquet")


def read_summary(manifest: Path) -> pd.DataFrame:
    """Return the columns of a manifest that the summary of an ingest is made of."""
    return pd.read_parquet(manifest, columns=["image_id", "path", "label", "feedback", "format", "error"])


def shards(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yield neighbours by path; most shards end where a path says so, and stay as they are when others come in."""
    shard: list[Entry] = []
    size = 0
    for entry in entries:
        expected = entry.size or UNKNOWN_SIZE
        if shard and (len(shard) == 2 * FILES_PER_SHARD or size + expected > BYTES_PER_SHARD):
            yield shard
            shard, size = [], 0
        shard.append(entry)
        size += expected
        number = crc32(entry.path.encode("utf-8", "surrogateescape")) / 2**32
        if number < max(1 / FILES_PER_SHARD, 2 * expected / BYTES_PER_SHARD):
            yield shard
            shard, size = [], 0
    if shard:
        yield shard


def check_classes(manifest: pd.DataFrame, source: str) -> None:
    """Raise UserError unless there are two classes or more, with two pictures or more each."""
    where = f"params.yaml: ingest.source = {source!r}"
    if manifest.empty:
        raise UserError(f"{where}: holds no files; put a folder for each class there, or add rows to the table")
    counts = manifest[manifest["error"].isna()]["label"].value_counts().sort_index()
    if counts.empty:
        example = manifest.sort_values("path").iloc[0]
        raise UserError(
            f"{where}: none of its {len(manifest)} files is a readable picture ({example.path}: {example.error})"
        )
    if len(counts) == 1:
        raise UserError(
            f"{where}: has only one class, {counts.index[0]!r}; a classifier needs a folder for each of two or more"
        )
    single = counts[counts == 1]
    if len(single):
        advice = "add more, or leave the class out (ingest.labels)"
        raise UserError(f"{where}: class {single.index[0]!r} has only one picture; {advice}")


def headline(report: dict[str, Any]) -> str:
    """Return the line about a finished ingest for the terminal; it mentions every kind of file that is left out."""
    text = f"ingest: {report['pictures']} pictures of {report['classes']} classes"
    if report["feedback"]:
        text += f", {report['feedback']} of them feedback"
    if count := report["unreadable"]:
        text += "; 1 file is not a readable picture" if count == 1 else f"; {count} files are not readable pictures"
        text += ", see data/manifest.parquet for the " + ("reason" if count == 1 else "reasons")
    if count := report["wrong_suffix"]:
        text += f"; {count} {'has' if count == 1 else 'have'} a suffix of another format, see reports/ingest.json"
    if report["left_out"]:
        text += f"; {report['left_out']} {LEFT_OUT}"
    if corrected := report["corrections"]["applied"]:
        text += f"; {corrected} corrected by data/corrections.csv"
    if unknown := report["corrections"]["unknown"]:
        first = report["corrections"]["unknown_paths"][0]
        text += f"; corrections for no picture of the source: {unknown}, the first {first}"
    if report["folders_without_pictures"]:
        text += f"; no readable picture in the folders {', '.join(report['folders_without_pictures'])}"
    if is_bucket(report["source"]):
        text += "; DVC does not see changes in a bucket: `dvc repro --force --single-item ingest` reads it again"
    return text


def summarise(
    manifest: pd.DataFrame, source: str, system_files: int, corrections: dict[str, str], unknown: list[str]
) -> dict[str, Any]:
    """Return the report: counts, classes, the reasons for what was left out, and the content's digest.

    `source` is ingest.source, `unknown` are the paths in `corrections` that name no picture of it.
    """
    pictures = manifest[manifest["error"].isna()]
    left_out = int((manifest["error"] == LEFT_OUT).sum())
    return {
        "source": source,
        "pictures": len(pictures),
        "unreadable": len(manifest) - len(pictures) - left_out,
        "left_out": left_out,
        "system_files": system_files,
        "feedback": int(pictures["feedback"].sum()),
        **_misnamed(pictures),
        "classes": pictures["label"].nunique(),
        "folders_without_pictures": sorted(set(manifest["label"].dropna()) - set(pictures["label"])),
        "pictures_per_class": pictures["label"].value_counts().to_dict(),
        "unreadable_because": manifest["error"].value_counts().to_dict(),
        "corrections": _corrected(len(corrections) - len(unknown), unknown),
        "digest": table_digest(manifest[["image_id", "label"]]),
    }


def _misnamed(pictures: pd.DataFrame) -> dict[str, Any]:
    """Return the pictures whose suffix is that of another format: how many, and the first."""
    misnamed = pictures[wrong_suffix(pictures)].sort_values("path")
    paths = misnamed["path"] + " is " + misnamed["format"]
    return {"wrong_suffix": len(paths), "wrong_suffix_paths": paths.head(LISTED_PATHS).tolist()}


def _corrected(applied: int, unknown: list[str]) -> dict[str, Any]:
    return {"applied": applied, "unknown": len(unknown), "unknown_paths": unknown[:LISTED_PATHS]}
