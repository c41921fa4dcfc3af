"""Reading the packed pictures: data/images/*.parquet, each with image_id and bytes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np


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

    for batch in pq.ParquetFile(shard).iter_batches(batch_size=256, columns=["bytes"]):
        yield from (data.as_py() for data in batch["bytes"])


def read_picture(images: Path, image_id: str) -> bytes:
    """Return the bytes of one picture; raises KeyError."""
    for shard in list_shards(images):
        for name, data in zip(shard_ids(shard), shard_pictures(shard), strict=True):
            if name == image_id:
                return data
    raise KeyError(image_id)
