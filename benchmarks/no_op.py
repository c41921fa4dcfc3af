"""`dvc repro` with nothing to do: wanted under 4 s and at most 1.5 times what DVC takes for eight empty stages."""

import argparse

from cost import Cost
from working_copy import WorkingCopy, alternate, empty_folder, middle, print_table, working_copy

STAGES = 8
QUICK = {"tune.enabled": False, "train.epochs": 1}


def make_empty_stages(copy: WorkingCopy) -> None:
    """Chain stages that each copy a file of one byte, and run them once."""
    lines = ["stages:"]
    for number in range(STAGES):
        lines += [f"  stage{number}:", f"    cmd: cp {number} {number + 1}", f"    deps: ['{number}']"]
        lines += [f"    outs: ['{number + 1}']"]
    (copy.root / "dvc.yaml").write_text("\n".join(lines) + "\n")
    (copy.root / "0").write_text("0")
    copy.measure("git", "init", "--quiet")
    copy.measure("dvc", "init", "--quiet")
    copy.measure("dvc", "config", "core.analytics", "false")
    copy.measure("dvc", "config", "core.check_update", "false")
    copy.measure("dvc", "repro")


def no_op(copy: WorkingCopy) -> Cost:
    """Return the cost of a run that finds everything up to date."""
    cost = copy.measure("dvc", "repro")
    assert "up to date" in cost.output and "Running stage" not in cost.output, cost.output
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with working_copy() as pipeline, empty_folder() as empty:
        pipeline.set(QUICK)
        pipeline.measure("dvc", "repro")
        make_empty_stages(empty)
        ours, theirs = alternate(rounds, lambda: no_op(pipeline), lambda: no_op(empty))
    rows = [
        [name, middle(costs), middle(costs, "cpu"), middle(costs) / middle(theirs)]
        for name, costs in (("the pipeline", ours), ("eight empty stages", theirs))
    ]
    print_table(["nothing to do", "wall s", "CPU s", "times the empty ones"], *rows)


if __name__ == "__main__":
    main()
