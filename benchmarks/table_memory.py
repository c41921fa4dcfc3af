"""Memory and CPU of the tables in dedupe and split, a row: wanted at most 480 bytes, so that 24 GB hold 50 million.

Each case is a process of its own that does what the stage does with its tables, report and page included, on a
simulated manifest with all columns: 1,000 classes, 2 % exact duplicates, a tenth of the pictures in groups of four.
Left out are the search for near duplicates and the thumbnails on the page, which have benchmarks of their own. Bytes a
row are the slope of the peak between the smallest and the largest size, so that the libraries do not count.

python benchmarks/table_memory.py --sizes 250000 500000 1000000
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

CLASSES, COPIES, GROUPED, TOGETHER = 1000, 50, 10, 4
CHUNK = 250_000  # rows that are simulated at a time
STAGES = ("dedupe", "split")


def hex_texts(chance: np.random.Generator, count: int, digits: int) -> list[str]:
    text = chance.bytes(count * digits // 2).hex()
    return [text[start : start + digits] for start in range(0, len(text), digits)]


def simulate(folder: Path, count: int) -> None:
    """Write a manifest of `count` rows, sorted by image_id, and the reports that split reads."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from darkroom.core.tables import MANIFEST

    (folder / "data/images").mkdir(parents=True)
    (folder / "reports").mkdir()
    (folder / "reports/ingest.json").write_text('{"source": "simulated", "digest": "00"}')
    (folder / "reports/validate.json").write_text("{}")
    schema = pa.Schema.from_pandas(pd.DataFrame(columns=list(MANIFEST)).astype(MANIFEST), preserve_index=False)
    chance = np.random.default_rng(0)
    with pq.ParquetWriter(folder / "data/manifest.parquet", schema) as writer:
        for start in range(0, count, CHUNK):
            part = rows_of(np.arange(start, min(start + CHUNK, count)), count, chance)
            writer.write_table(pa.Table.from_pandas(part, schema, preserve_index=False))


def rows_of(number: np.ndarray, count: int, chance: np.random.Generator) -> Any:
    """Return rows of the manifest; the first digits of image_id are the row's place, so that they are sorted."""
    from darkroom.core.tables import MANIFEST

    size = len(number)
    label = chance.integers(0, CLASSES, size)
    content = np.array(hex_texts(chance, size, 64), dtype=object)
    copies = np.flatnonzero(number % COPIES == COPIES - 1)
    content[copies], label[copies] = content[copies - 7], label[copies - 7]
    grouped = np.where(number % GROUPED == 3, number // (GROUPED * TOGETHER), -1)
    tails = hex_texts(chance, size, 8)
    places = (number * (2**48 // count)).tolist()
    table = facts_of(size, chance).assign(
        image_id=[f"{place:012x}{tail}" for place, tail in zip(places, tails, strict=True)],
        path=[f"train/n{one:08d}/n{one:08d}_{row:09d}.JPEG" for one, row in zip(label, number, strict=True)],
        label=[f"n{one:08d}" for one in label],
        group=[f"patient{one:07d}" if one >= 0 else None for one in grouped],
        sha256=content,
        phash=hex_texts(chance, size, 16),
    )
    return table.reindex(columns=list(MANIFEST)).astype(MANIFEST)


def facts_of(size: int, chance: np.random.Generator) -> Any:
    """Return what ingest finds out about each picture."""
    import pandas as pd

    ranges = {"brightest": (0.1, 1), "sharpness": (20, 2000), "entropy": (1.9, 7.9)}
    ranges |= dict.fromkeys(("darkest", "brightness", "contrast"), (0.2, 0.6))
    facts: dict[str, Any] = {name: chance.uniform(low, high, size) for name, (low, high) in ranges.items()}
    facts |= dict(zip(("width", "height"), chance.integers(200, 600, (2, size)), strict=True))
    facts["bytes"] = chance.integers(50_000, 150_000, size)
    facts["mode"] = np.where(chance.random(size) < 0.01, "L", "RGB")
    facts["greyscale"] = chance.random(size) < 0.02
    facts["error"] = np.where(chance.random(size) < 0.001, "is truncated", np.array(None))
    return pd.DataFrame(facts).assign(format="JPEG", orientation=1, feedback=False)


def open_stage(name: str, folder: Path, changes: dict[str, Any]) -> Any:
    """Return the stage as its script would get it, in `folder`, with the parameters of the repository and `changes`."""
    import darkroom
    from darkroom.params.load import load_params, read_yaml
    from darkroom.stage import Stage

    root = Path(next(iter(darkroom.__path__))).parents[1]
    params = load_params(root / "params.yaml")
    for key, value in changes.items():
        section, inner = key.split(".")
        changed = getattr(params, section).model_copy(update={inner: value})
        params = params.model_copy(update={section: changed})
    return Stage(name, folder, read_yaml(root / "dvc.yaml")["stages"], params)


def run_case(name: str, folder: Path, changes: dict[str, Any]) -> None:
    """Run the work of a stage in this process and print what it cost."""
    import runpy

    import darkroom
    from darkroom.core.files import canonical_json, rounded
    from darkroom.split import data_report

    vars(data_report)["thumbnails"] = no_thumbnails
    script = Path(next(iter(darkroom.__path__))).parents[1] / f"pipeline/{name}.py"
    work = runpy.run_path(str(script))[name]
    stage = open_stage(name, folder, changes)
    before, start = cpu(), time.perf_counter()
    report = work(stage)
    cost = {"cpu": cpu() - before, "wall": time.perf_counter() - start}
    for path in (folder / "data").glob("*.partial"):
        path.replace(path.with_suffix(""))
    (folder / f"reports/{name}.json").write_text(canonical_json(rounded(report)))
    print(json.dumps({**cost, "peak": peak_memory()}))


def no_thumbnails(_images: Path, sizes: Any, *_: Any) -> dict[str, str]:
    return dict.fromkeys(sizes.index, "data:,")


def peak_memory() -> int:
    """Return the peak of this process in bytes; not ru_maxrss, which begins with that of the parent."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(name: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--case", name, str(folder)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    cost: dict[str, float] = json.loads(output.splitlines()[-1])
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250_000, 500_000, 1_000_000])
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        run_case(chosen.case[0], Path(chosen.case[1]), {"dedupe.near": False})
        return
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in STAGES}
    for size in chosen.sizes:
        with tempfile.TemporaryDirectory(prefix="darkroom-benchmark-") as name:
            simulate(Path(name), size)
            for stage in STAGES:
                costs[stage].append(cost := measure(stage, Path(name)))
                print(f"{stage} {size:>10,} rows: {cost['peak'] / 1e6:,.0f} MB, CPU {cost['cpu']:.2f} s", flush=True)
    if len(chosen.sizes) < 2:
        return
    rows = chosen.sizes[-1] - chosen.sizes[0]
    for stage, (first, *_, last) in costs.items():
        slope = (last["peak"] - first["peak"]) / rows
        million = (last["cpu"] - first["cpu"]) / rows * 1e6
        sizes = " and ".join(
            f"{(first['peak'] + slope * (n - chosen.sizes[0])) / 1e9:.0f} GB at {n:.0e}" for n in (5e7, 1e8)
        )
        print(f"{stage}: {slope:.0f} bytes a row, {million:.1f} CPU s a million rows; {sizes}")


if __name__ == "__main__":
    main()
