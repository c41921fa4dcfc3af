"""A search of five short trainings, one with a fresh seed and an ensemble of two, on two nodes and on this machine.

Each node has one CPU, and this machine trains two at a time. Wall seconds, and whether the results are equal.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from working_copy import ROOT, print_table

sys.path.insert(0, str(ROOT / "tests"))


def timed(environment: dict[str, str]) -> tuple[float, dict[str, str]]:
    """Return wall seconds and the digests of what came out."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        command = [sys.executable, str(ROOT / "tests" / "cluster_trainings.py"), folder]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        return time.monotonic() - start, json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    from ray_cluster import two_nodes, without_address

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="ray") as place, two_nodes(Path(place)) as cluster:
        environments = {"local processes": without_address(), "Ray, two nodes": cluster.environment()}
        found = {name: [timed(environments[name])] for name in environments}
        for _ in range(rounds - 1):
            for name, environment in environments.items():
                found[name].append(timed(environment))
    rows = [[name, f"{median(wall for wall, _ in runs):.1f}"] for name, runs in found.items()]
    print_table(["eight trainings", "wall s"], *rows)
    print("digests equal:", len({str(digests) for runs in found.values() for _, digests in runs}) == 1)


if __name__ == "__main__":
    main()
