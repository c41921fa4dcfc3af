"""What passes before a stage begins its work, where it needs no TensorFlow: wanted at most 1.5 s over `import mlflow`.

Measured from the start of the process to the first line of the work: the script's imports, the parameters, the store
(which exists), the opened run. Beside it, in turn, a process that imports MLflow and ends.
"""

import argparse
import json
from functools import partial

from cost import Cost
from working_copy import ROOT, WorkingCopy, alternate, middle, print_table, working_copy

STAGES = ("ingest", "validate", "dedupe", "split")
AND_END = "; import os; os._exit(0)"  # as frame.py ends
REFERENCE = "import mlflow" + AND_END
EXPECTATIONS = "import mlflow, pandas, great_expectations.expectations" + AND_END


def begin(copy: WorkingCopy, stage: str) -> Cost:
    """Run a stage up to the beginning of its work; TensorFlow must not be there by then."""
    cost = copy.measure("python", str(ROOT / "benchmarks/frame.py"), stage, "--empty")
    loaded = json.loads(cost.output.splitlines()[-1])["loaded"]
    assert "tensorflow" not in loaded, f"{stage} imports TensorFlow"
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with working_copy() as copy:
        copy.env["PYTHONPATH"] = "src"
        code = {"import mlflow": REFERENCE, "import great_expectations too": EXPECTATIONS}
        jobs = {name: partial(copy.measure, "python", "-c", text) for name, text in code.items()}
        jobs |= {stage: partial(begin, copy, stage) for stage in STAGES}
        alternate(1, *jobs.values())  # compiles the modules, makes the store, fills the file cache
        results = dict(zip(jobs, alternate(rounds, *jobs.values()), strict=True))
    base = results["import mlflow"]
    rows = [
        [
            name,
            middle(costs),
            middle(costs, "cpu"),
            middle(costs) - middle(base),
            middle(costs, "cpu") - middle(base, "cpu"),
        ]
        for name, costs in results.items()
    ]
    print_table(["", "wall s", "CPU s", "over import mlflow: wall s", "CPU s"], *rows)


if __name__ == "__main__":
    main()
