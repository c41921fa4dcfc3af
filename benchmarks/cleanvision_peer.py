"""The reference of the search for duplicates: cleanvision on a folder. Runs in an environment that has it.

python benchmarks/cleanvision_peer.py FOLDER SETS.json    writes the sets of paths that it holds for duplicates
"""

import json
import sys
import time
from pathlib import Path


def main(folder: str, sets_file: str) -> None:
    from cleanvision import Imagelab

    start = time.perf_counter()
    lab = Imagelab(data_path=folder)
    lab.find_issues({"exact_duplicates": {}, "near_duplicates": {}}, n_jobs=2, verbose=False)
    passed = time.perf_counter() - start
    sets = {kind: lab.info[kind]["sets"] for kind in ("exact_duplicates", "near_duplicates")}
    Path(sets_file).write_text(json.dumps(sets))
    print("\n" + json.dumps({"work": passed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
