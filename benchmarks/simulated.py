"""Simulated data of any size in a working copy: the manifest and the packed pictures, as if ingest had left them.

The thumbnails are drawn from random frequencies, so that their hashes are uniformly random; 2 % of the pictures are
near copies of others. Clustered ones differ little within clusters of a thousand, about as much as the radius.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

COPIES = 0.02
CLUSTER = 1000  # pictures
WITHIN = 0.9  # correlation of a picture with the middle of its cluster
FREQUENCIES = 12  # in each direction
CLASSES = 10
FILES = 256  # different ones; the stages read few
ROWS = 1024  # of a shard


def main(count: int, kind: str) -> None:
    import pandas as pd

    from darkroom.images.packed import write_shard

    images, chance, files, parts = Path("data/images"), np.random.default_rng(0), picture_files(), []
    images.mkdir(parents=True)
    for start in range(0, count, ROWS):
        number = np.arange(start, min(start + ROWS, count))
        thumbnails = draw(number, kind, chance)
        part = manifest_part(number, thumbnails, chance)
        contents = [files[row % FILES] for row in number.tolist()]
        bytes_of = [one.tobytes() for one in thumbnails]
        write_shard(
            images / f"part-{start // ROWS:05d}.parquet", list(zip(part["image_id"], contents, bytes_of, strict=True))
        )
        parts.append(part)
    manifest = pd.concat(parts, ignore_index=True).sort_values("image_id", ignore_index=True)
    manifest.to_parquet("data/manifest.parquet", index=False)


def draw(number: np.ndarray, kind: str, chance: np.random.Generator) -> np.ndarray:
    """Return thumbnails (n, THUMBNAIL_BYTES) uint8; the last of every 50 is a copy of the one before it."""
    from darkroom.images.thumbnails import LUMA_BYTES, SIDE, THUMBNAIL_BYTES

    spectrum = chance.standard_normal((len(number), FREQUENCIES, FREQUENCIES), np.float32)
    if kind == "clustered":
        clusters, of = np.unique(number // CLUSTER, return_inverse=True)
        middles = [
            np.random.default_rng(one).standard_normal((FREQUENCIES, FREQUENCIES), np.float32) for one in clusters
        ]
        spectrum = WITHIN * np.stack(middles)[of] + (1 - WITHIN**2) ** 0.5 * spectrum
    angles = np.pi * (2 * np.arange(SIDE) + 1) / (2 * SIDE)
    basis = np.cos(np.arange(FREQUENCIES)[:, None] * angles).astype(np.float32)
    spectrum[:, 0, 0] = 0
    luma = 128 + 8 * (basis.T @ spectrum @ basis)
    copies = np.flatnonzero(number % round(1 / COPIES) == round(1 / COPIES) - 1)
    copies = copies[copies > 0]
    luma[copies] = luma[copies - 1] + chance.normal(0, 3, (len(copies), SIDE, SIDE))
    thumbnails = np.full((len(number), THUMBNAIL_BYTES), 128, np.uint8)
    thumbnails[:, :LUMA_BYTES] = luma.clip(0, 255).reshape(len(number), -1)
    return thumbnails


def manifest_part(number: np.ndarray, thumbnails: np.ndarray, chance: np.random.Generator) -> Any:
    """Return rows of the manifest (tables.MANIFEST): hashes of the thumbnails, other facts by chance."""
    import pandas as pd

    from darkroom.core.tables import MANIFEST
    from darkroom.images.thumbnails import hash_thumbnails

    ids = pd.util.hash_array(number.astype(np.int64), hash_key="simulated_______")
    facts = {name: chance.uniform(0.2, 0.6, len(number)) for name in ("darkest", "brightness", "contrast")}
    facts |= {"brightest": chance.uniform(0.5, 1, len(number)), "sharpness": chance.uniform(40, 2000, len(number))}
    names = [f"{one:016x}" for one in ids.tolist()]
    part = pd.DataFrame(
        {
            "image_id": [f"{name}{one % 65536:04x}" for name, one in zip(names, number.tolist(), strict=True)],
            "path": [f"class{one % CLASSES}/{one:08d}.jpg" for one in number.tolist()],
            "label": [f"class{one % CLASSES}" for one in number.tolist()],
            "sha256": [name * 4 for name in names],
            "phash": [f"{bits:016x}" for bits in hash_thumbnails(thumbnails).tolist()],
            "entropy": chance.uniform(1.9, 7.9, len(number)),
            **facts,
        }
    )
    fixed = {"bytes": 900, "width": 32, "height": 32, "mode": "RGB", "format": "JPEG", "orientation": 1}
    return part.assign(**fixed, greyscale=False, feedback=False).reindex(columns=list(MANIFEST)).astype(MANIFEST)


def picture_files() -> list[bytes]:
    """Return small JPEG files of noise."""
    from io import BytesIO

    from PIL import Image

    files = []
    for _ in range(FILES):
        file = BytesIO()
        Image.effect_noise((32, 32), 60).convert("RGB").save(file, "JPEG", quality=50)
        files.append(file.getvalue())
    return files


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
