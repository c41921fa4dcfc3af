"""Which pictures have equal contents: ours beside pandas, DuckDB and Polars (which must be installed), a row.

Each case is a process of its own that reads the column sha256 of a simulated manifest; bytes and CPU seconds a row are
slopes between two sizes.

python benchmarks/equal_texts.py --sizes 1000000 3000000
"""

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from table_memory import cpu, peak_memory, simulate
from working_copy import print_table


def ours(file: str) -> Any:
    from darkroom.curation.pictures import Pictures, read_parts

    return Pictures(partial(read_parts, Path(file))).first_equal("sha256")


def pandas(file: str) -> Any:
    import pandas as pd

    return pd.factorize(pd.read_parquet(file, columns=["sha256"])["sha256"])


def duckdb(file: str) -> Any:
    from duckdb import connect

    table = f"read_parquet('{file}', file_row_number = true)"
    query = f"select min(file_row_number) over (partition by sha256) as first from {table} order by file_row_number"
    return connect().execute(query).fetchnumpy()


def polars(file: str) -> Any:
    from polars import col, scan_parquet

    rows = scan_parquet(file).select("sha256").with_row_index().group_by("sha256").agg(col("index"))
    return rows.filter(col("index").list.len() > 1).collect(engine="streaming")


CASES = {case.__name__: case for case in (ours, pandas, duckdb, polars)}


def run_case(name: str, file: str) -> None:
    before = cpu()
    answer = CASES[name](file)
    print(json.dumps({"cpu": cpu() - before, "peak": peak_memory(), "rows": len(answer)}))


def measure(name: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--case", name, str(folder / "data/manifest.parquet")]
    cost: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs=2, default=[1_000_000, 3_000_000])
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.case:
        run_case(*chosen.case)
        return
    costs: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    for size in chosen.sizes:
        with tempfile.TemporaryDirectory(prefix="darkroom-benchmark-") as folder:
            simulate(Path(folder), size)
            for name in CASES:
                costs[name].append(measure(name, Path(folder)))
    more = chosen.sizes[1] - chosen.sizes[0]
    slopes = {
        name: [(last[key] - first[key]) / more for key in ("peak", "cpu")] for name, (first, last) in costs.items()
    }
    rows = [[name, round(memory), seconds * 1e6] for name, (memory, seconds) in slopes.items()]
    print_table(["", "bytes a row", "CPU s a million rows"], *rows)


if __name__ == "__main__":
    main()
