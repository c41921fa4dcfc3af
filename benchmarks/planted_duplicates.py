"""Planted near duplicates: wanted recall of 0.98 at a precision of 0.99, found as dedupe finds them.

Of 2,000 pictures of an archive copies are made, one of each kind. A copy is found when it is in the connected
component of its original. A pair is wrong when its pictures come from two originals; what the search says of the
originals alone, without any copy, is counted beside it, because some of them are duplicates themselves; a pair is there
"because of copies" when the two originals are not connected then.
Beside it the hash alone: every pair within a radius is believed.

With --plain no copies are made: the pictures are X-rays, scans and the like, or drawn to look so when no archive is
given. Wanted: at most 1 % of all pairs of different files joined in one component.
"""

import argparse
import hashlib
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from drawn_scans import draw_scan
from PIL import Image, ImageEnhance
from working_copy import print_table

SEED = 0
KINDS = ("recompressed", "resized", "cropped", "brightened", "greyscale")
ROWS_AT_ONCE = 256
Pictures = list[np.ndarray]


def read_pictures(path: Path, count: int) -> Pictures:
    """Return `count` pictures of an archive, seeded; of equal files the first, and none that does not decode."""
    from darkroom.images.decode import inspect, silent_pillow
    from darkroom.images.limits import UnreadablePicture

    pictures, seen = [], set()
    with zipfile.ZipFile(path) as archive, silent_pillow():
        names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        for number in np.random.default_rng(SEED).permutation(len(names)).tolist():
            data = archive.read(names[number])
            if (content := hashlib.sha256(data).digest()) not in seen and len(pictures) < count:
                seen.add(content)
                try:
                    pictures.append(inspect(data, "auto")[1])
                except UnreadablePicture:
                    continue
    return pictures


def change(picture: np.ndarray, kind: str, chance: np.random.Generator) -> np.ndarray:
    """Return a copy (height, width, 3) uint8, changed as `kind` says by a random amount."""
    image = Image.fromarray(picture)
    if kind == "recompressed":
        file = BytesIO()
        image.save(file, "JPEG", quality=int(chance.integers(40, 91)))
        image = Image.open(file)
    elif kind == "resized":
        scale = chance.uniform(0.5, 2)
        image = image.resize((max(round(image.width * scale), 1), max(round(image.height * scale), 1)))
    elif kind == "cropped":
        left, right, top, bottom = chance.uniform(0, 0.05, 4)
        width, height = image.size
        sides = (left * width, top * height, width - right * width, height - bottom * height)
        image = image.crop(tuple(round(side) for side in sides))
    elif kind == "brightened":
        image = ImageEnhance.Brightness(image).enhance(chance.uniform(0.85, 1.15))
    else:
        image = image.convert("L").convert("RGB")
    return np.asarray(image)


def describe(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """Return hashes (n,) uint64 and thumbnails (n, THUMBNAIL_BYTES) uint8, as ingest makes them."""
    from darkroom.images.facts import measure_pictures

    parts = [measure_pictures(pictures[start : start + 256]) for start in range(0, len(pictures), 256)]
    hashes = [int(text, 16) for facts, _ in parts for text in facts["phash"].tolist()]
    return np.array(hashes, np.uint64), np.concatenate([thumbnails for _, thumbnails in parts])


def search(hashes: np.ndarray, thumbnails: np.ndarray) -> np.ndarray:
    """Return the pairs (m, 2) that dedupe believes, with the values of params.yaml."""
    from darkroom.dedupe.alike import similarity
    from darkroom.dedupe.candidates import find_candidates

    params = dedupe_params()
    pairs = find_candidates(hashes, params.radius)
    return pairs[similarity(thumbnails, pairs, params.similarity) >= params.similarity]


def dedupe_params() -> Any:
    from darkroom.params.load import load_params

    return load_params(Path(__file__).parents[1] / "params.yaml").dedupe


def within(hashes: np.ndarray, radius: int) -> np.ndarray:
    """Return all pairs (m, 2) whose hashes differ in at most `radius` bits."""
    found = []
    for start in range(0, len(hashes), ROWS_AT_ONCE):
        apart = np.bitwise_count(hashes[start : start + ROWS_AT_ONCE, None] ^ hashes[None, :])
        one, other = np.nonzero(apart <= radius)
        found.append(np.column_stack([one + start, other])[one + start < other])
    return np.concatenate(found)


def methods(hashes: np.ndarray, thumbnails: np.ndarray) -> dict[str, np.ndarray]:
    """Return the pairs of each method."""
    radius = dedupe_params().radius
    alone = {f"the hash alone, radius {bits}": within(hashes, bits) for bits in (4, radius)}
    return {"dedupe": search(hashes, thumbnails)} | alone


def planted(originals: Pictures) -> None:
    """Print recall and precision of each method on originals and their copies."""
    from darkroom.curation.groups import connect

    chance, count = np.random.default_rng(SEED), len(originals)
    alone = methods(*describe(originals))
    copies = [change(picture, kind, chance) for kind in KINDS for picture in originals]
    rows, judged = [], []
    for name, pairs in methods(*describe(originals + copies)).items():
        first = connect(len(KINDS) * count + count, [pairs])
        found = (first[count:] == np.tile(first[:count], len(KINDS))).reshape(len(KINDS), count).mean(axis=1)
        rows.append([name, *map(float, 100 * found), 100 * float(found.mean())])
        original = pairs % count
        wrong = original[:, 0] != original[:, 1]
        known = connect(count, [alone[name]])
        new = wrong & (known[original[:, 0]] != known[original[:, 1]])
        judged.append(
            [name, len(pairs), int(wrong.sum()), 100 * float((~wrong).mean()), len(alone[name]), int(new.sum())]
        )
    print_table(["% of copies found", *KINDS, "all"], *rows)
    print_table(
        ["pairs", "believed", "of two originals", "precision %", "originals alone", "because of copies"], *judged
    )


def plain(pictures: Pictures) -> None:
    """Print which share of all pairs of pictures each method joins."""
    from darkroom.curation.groups import connect

    rows, count = [], len(pictures)
    for name, pairs in methods(*describe(pictures)).items():
        sizes = np.bincount(connect(count, [pairs]))
        joined = int((sizes * (sizes - 1) // 2).sum())
        rows.append([name, len(pairs), int(sizes.max()), joined, 100 * joined / (count * (count - 1) / 2)])
    print_table([f"{count} plain pictures", "pairs believed", "largest component", "pairs joined", "% of all"], *rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, nargs="?", help="a .zip of pictures")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--plain", action="store_true")
    chosen = parser.parse_args()
    if chosen.archive:
        pictures = read_pictures(chosen.archive, chosen.pictures)
    elif chosen.plain:
        chance = np.random.default_rng(SEED)
        pictures = [draw_scan(chance) for _ in range(chosen.pictures)]
    else:
        parser.error("needs an archive, or --plain")
    (plain if chosen.plain else planted)(pictures)


if __name__ == "__main__":
    main()
