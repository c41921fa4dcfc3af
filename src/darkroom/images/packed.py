"""The packed pictures, data/images/*.parquet: image_id, bytes and thumbnail of each; a shard is sorted by image_id."""

from collections.abc import Iterable, Iterator, Set
from pathlib import Path

import numpy as np

from darkroom.images.thumbnails import THUMBNAIL_BYTES

ROWS_PER_GROUP = 256  # what is in memory at a time


def write_shard(path: Path, pictures: list[tuple[str, bytes, bytes]]) -> None:
    """Write (image_id, bytes, thumbnail) of some pictures."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids, contents, thumbnails = zip(*sorted(pictures), strict=True)
    columns = {
        "image_id": pa.array(ids),
        "bytes": pa.array(contents, pa.binary()),
        "thumbnail": pa.array(thumbnails, pa.binary(THUMBNAIL_BYTES)),
    }
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(pa.table(columns), path, row_group_size=ROWS_PER_GROUP, **options)


def list_shards(images: Path) -> list[Path]:
    """Return the shards in order."""
    return sorted(images.glob("*.parquet"))


def shard_ids(shard: Path) -> np.ndarray:
    """Return the image_id of each picture of a shard, in its order."""
    import pyarrow.parquet as pq

    return np.array(pq.read_table(shard, columns=["image_id"])["image_id"].to_pylist(), dtype=str)


def shard_pictures(shard: Path) -> Iterator[bytes]:
    """Yield the bytes of each picture of a shard, in its order; a few hundred are in memory at a time."""
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(shard).iter_batches(batch_size=ROWS_PER_GROUP, columns=["bytes"]):
        yield from (data.as_py() for data in batch["bytes"])


def stream_pictures(images: Path, wanted: Set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield image_id and bytes of some pictures, in the order of the shards; a few hundred are in memory at a time."""
    for shard in list_shards(images):
        names = shard_ids(shard).tolist()
        if not wanted.isdisjoint(names):
            yield from ((name, data) for name, data in zip(names, shard_pictures(shard), strict=True) if name in wanted)


def read_thumbnails(images: Path, ids: np.ndarray) -> np.ndarray:
    """Return the thumbnails (n, THUMBNAIL_BYTES) uint8 of `ids`, which are sorted; raises KeyError."""
    import pyarrow.parquet as pq

    found = np.zeros((len(ids), THUMBNAIL_BYTES), np.uint8)
    missing = np.ones(len(ids), bool)
    for shard in list_shards(images):
        names = shard_ids(shard)
        rows = np.searchsorted(ids, names).clip(max=len(ids) - 1) if len(ids) else np.zeros(len(names), int)
        wanted = ids[rows] == names if len(ids) else np.zeros(len(names), bool)
        if wanted.any():
            column = pq.read_table(shard, columns=["thumbnail"])["thumbnail"].combine_chunks()
            buffer = np.frombuffer(column.buffers()[1], np.uint8)[: len(names) * THUMBNAIL_BYTES]
            found[rows[wanted]] = buffer.reshape(-1, THUMBNAIL_BYTES)[wanted]
            missing[rows[wanted]] = False
    if missing.any():
        raise KeyError(str(ids[missing][0]))
    return found


def read_pictures(images: Path, ids: Iterable[str]) -> dict[str, bytes]:
    """Return {image_id: bytes} of some pictures, reading only the row groups that hold them; raises KeyError."""
    import pyarrow.parquet as pq

    wanted = set(ids)
    found: dict[str, bytes] = {}
    for shard in list_shards(images):
        here = [(row, name) for row, name in enumerate(shard_ids(shard).tolist()) if name in wanted]
        file = pq.ParquetFile(shard) if here else None
        for group in sorted({row // ROWS_PER_GROUP for row, _ in here}):
            assert file is not None
            contents = file.read_row_group(group, columns=["bytes"])["bytes"]
            rows = [(row - group * ROWS_PER_GROUP, name) for row, name in here if row // ROWS_PER_GROUP == group]
            found |= {name: contents[row].as_py() for row, name in rows}
    if wanted - found.keys():
        raise KeyError(min(wanted - found.keys()))
    return found
