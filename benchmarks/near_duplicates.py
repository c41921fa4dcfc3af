"""Near duplicates of an archive: wanted at least 5 times as fast as cleanvision, and all that it finds.

Both read the same unpacked folder with two processes. Ours is the work of ingest (reading, decoding, all facts, the
thumbnails and hashes, the packed copy) and the search with its verification, this in one process; theirs is reading,
decoding, hashing and grouping. The start of the processes and the imports are counted for neither.
"""

import argparse
import json
import subprocess
import sys
import zipfile
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from data_stages import run_helper
from working_copy import WorkingCopy, alternate, print_table, working_copy

BENCHMARKS = Path(__file__).parent
Said = dict[str, Any]


def make_peer(folder: Path) -> Path:
    """Make an environment with cleanvision; return its Python."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin/python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "cleanvision"], check=True)
    return python


def run_ours(copy: WorkingCopy) -> tuple[Said, Said]:
    """Run ingest with nothing known from before, then the search."""
    subprocess.run(["rm", "-rf", copy.root / ".cache"], check=True)
    _, ingest = run_helper(copy, "frame.py", "ingest")
    _, search = run_helper(copy, "near_parts.py", copy.root / "pairs.npy")
    return ingest, search


def run_theirs(copy: WorkingCopy, python: Path, folder: Path) -> Said:
    """Run cleanvision's check for exact and near duplicates."""
    script = str(BENCHMARKS / "cleanvision_peer.py")
    cost = copy.measure(str(python), script, str(folder), str(copy.root / "sets.json"))
    return json.loads(cost.output.splitlines()[-1])


def compare(copy: WorkingCopy, folder: Path) -> tuple[list[list[Any]], list[tuple[str, str, float, int]]]:
    """Return how many of their pairs are also ours, and those that are not: paths, similarity, bits apart."""
    from darkroom.curation.duplicates import find_duplicates
    from darkroom.curation.pictures import Pictures, read_parts
    from darkroom.dedupe.alike import similarity
    from darkroom.images.packed import read_thumbnails

    readable = Pictures(partial(read_parts, copy.root / "data/manifest.parquet"))
    pictures = readable.columns(["image_id", "path", "phash"])
    first = find_duplicates(readable.first_equal("sha256"), np.load(copy.root / "pairs.npy"))
    row_of = {path: row for row, path in enumerate(pictures["path"])}
    rows, missed = [], []
    for kind, sets in json.loads((copy.root / "sets.json").read_text()).items():
        members = [[row_of[str(Path(path).relative_to(folder))] for path in paths] for paths in sets]
        pairs = np.array([pair for group in members for pair in combinations(group, 2)], np.int64).reshape(-1, 2)
        same = first[pairs[:, 0]] == first[pairs[:, 1]]
        rows.append([f"cleanvision's {kind}", len(sets), len(np.unique(pairs)), len(pairs), int(same.sum())])
        lost, places = np.unique(pairs[~same], return_inverse=True)
        thumbnails = read_thumbnails(copy.root / "data/images", pictures["image_id"].iloc[lost].to_numpy(dtype=str))
        scores = similarity(thumbnails, places.reshape(-1, 2), 1.0)
        for (one, other), score in zip(pairs[~same].tolist(), scores.tolist(), strict=True):
            bits = int(pictures["phash"][one], 16) ^ int(pictures["phash"][other], 16)
            missed.append((pictures["path"][one], pictures["path"][other], score, bits.bit_count()))
    sizes = np.bincount(first)
    rows.append(["ours", int((sizes > 1).sum()), int(sizes[sizes > 1].sum()), "", ""])
    return rows, missed


def draw(file: Path, folder: Path, pairs: list[tuple[str, str]]) -> None:
    """Draw a sheet of pairs of pictures."""
    from PIL import Image

    side, wide = 128, 5
    sheet = Image.new("RGB", (wide * (2 * side + 20), -(-len(pairs) // wide) * (side + 10)), "white")
    for number, pair in enumerate(pairs):
        left, top = number % wide * (2 * side + 20), number // wide * (side + 10)
        for place, path in enumerate(pair):
            picture = Image.open(folder / path).convert("RGB").resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(picture, (left + place * side, top))
    sheet.save(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a .zip with a folder of pictures for each class")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peer-python", type=Path, help="of an environment that has cleanvision; else one is made")
    parser.add_argument("--sheet", type=Path, help="a .png to draw the pairs on that only they have, then some of ours")
    chosen = parser.parse_args()
    with working_copy() as copy:
        folder = copy.root / "data/raw/pictures"
        zipfile.ZipFile(chosen.archive).extractall(folder)
        copy.set({"ingest.source": "pictures"})
        copy.env["PYTHONPATH"] = "src"
        python = chosen.peer_python or make_peer(copy.root / "peer")
        ours, theirs = alternate(chosen.rounds, lambda: run_ours(copy), lambda: run_theirs(copy, python, folder))
        print_times(ours, theirs)
        rows, missed = compare(copy, folder)
        print_table(["found", "sets", "pictures", "pairs", "of them ours"], *rows)
        print_table(["only theirs", "", "similarity", "bits apart"], *missed)
        if chosen.sheet:
            draw(chosen.sheet, folder, [(one, other) for one, other, *_ in missed] + some_of_ours(copy))


def some_of_ours(copy: WorkingCopy) -> list[tuple[str, str]]:
    """Return the paths of 40 pairs, evenly taken from all."""
    from darkroom.curation.pictures import Pictures, read_parts

    paths = Pictures(partial(read_parts, copy.root / "data/manifest.parquet")).texts("path")
    pairs = np.load(copy.root / "pairs.npy")
    return [(paths[one], paths[other]) for one, other in pairs[:: max(len(pairs) // 40, 1)][:40].tolist()]


def print_times(ours: list[tuple[Said, Said]], theirs: list[Said]) -> None:
    """Print the work of each side, and how many times ours is faster."""
    rows = []
    for number, ((ingest, search), peer) in enumerate(zip(ours, theirs, strict=True), start=1):
        both = ingest["work"] + search["work"]
        rows.append([f"round {number}", ingest["work"], search["work"], both, peer["work"], peer["work"] / both])
    print_table(["the work, wall s", "ingest", "search", "ours", "cleanvision", "times faster"], *rows)
    names = ["candidates", "thumbnails", "similarity", "cpu"]
    rows = [["", *(search[name] for name in names)] for _, search in ours]
    print_table(["the search, CPU s", "candidates", "reading thumbnails", "similarity", "all"], *rows)


if __name__ == "__main__":
    main()
