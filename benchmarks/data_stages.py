"""The four data stages on an archive of pictures: wanted under 60 s together for 60,000, under 1 GB of memory each.

Beside them a bare decode: the same files read from the archive and decoded by Pillow in as many processes, nothing
else. Wanted: ingest works at 0.7 of its rate or more. Rates are those of the work, without the start of the first
process and its imports; that ingest's rate with them, as the whole stage has it, stands beside it.
"""

import argparse
import json
from pathlib import Path
from statistics import median
from typing import Any

from cost import Cost
from working_copy import WorkingCopy, alternate, middle, print_table, working_copy

STAGES = ("ingest", "validate", "dedupe", "split")
BENCHMARKS = Path(__file__).parent


def run_stages(copy: WorkingCopy) -> list[Cost]:
    """Run the stages' scripts in order."""
    return [copy.measure("python", f"pipeline/{name}.py", sampled=True) for name in STAGES]


def run_helper(copy: WorkingCopy, name: str, argument: Any) -> tuple[Cost, dict[str, Any]]:
    """Run a script of this folder; return its cost and the line that it printed."""
    cost = copy.measure("python", str(BENCHMARKS / name), str(argument), sampled=True)
    return cost, json.loads(cost.output.splitlines()[-1])


def row(name: str, costs: list[Cost]) -> list[Any]:
    memory = max(cost.together for cost in costs), max(cost.largest for cost in costs)
    return [name, middle(costs), middle(costs, "cpu"), *memory]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a .zip with a folder of pictures for each class")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    archive = chosen.archive.resolve()
    with working_copy() as copy:
        (copy.root / "data/raw").mkdir(parents=True, exist_ok=True)
        (copy.root / "data/raw" / archive.name).symlink_to(archive)
        copy.set({"ingest.source": archive.name})
        copy.env["PYTHONPATH"] = "src"
        stages, ingests, decodes = alternate(
            chosen.rounds,
            lambda: run_stages(copy),
            lambda: run_helper(copy, "frame.py", "ingest"),
            lambda: run_helper(copy, "bare_decode.py", archive),
        )
    columns = [list(costs) for costs in zip(*stages, strict=True)]
    rows = [row(name, costs) for name, costs in zip(STAGES, columns, strict=True)]
    sums = [sum(row[figure] for row in rows) for figure in (1, 2)]
    peaks = [max(row[figure] for row in rows) for figure in (3, 4)]
    bare = row("bare decode", [cost for cost, _ in decodes])
    header = ["", "wall s", "CPU s", "all processes MB", "largest MB"]
    print_table(header, *rows, ["the four", *sums, *peaks], bare)
    print_rates(decodes[0][1]["pictures"], ingests, decodes, rows[0][1])


def print_rates(pictures: int, ingests: list[Any], decodes: list[Any], whole_ingest: float) -> None:
    """Print pictures a second, and their ratio to the bare decode's."""
    ours, bare = (median(said["work"] for _, said in runs) for runs in (ingests, decodes))
    whole_decode = middle([cost for cost, _ in decodes])
    print_table(
        ["", "ingest/s", "bare decode/s", "ratio"],
        ["the work", round(pictures / ours), round(pictures / bare), bare / ours],
        ["with the start", round(pictures / whole_ingest), round(pictures / whole_decode), whole_decode / whole_ingest],
    )


if __name__ == "__main__":
    main()
