"""What ingest, dedupe and the decoding of pixels give, as digests on stdout; arguments: source, folder to work in."""

import json
import sys
from pathlib import Path

TESTS = Path(__file__).parent
sys.path += [str(TESTS), str(TESTS / "code")]


def main(source: Path, folder: Path) -> None:
    from test_executors import outputs  # type: ignore[import-not-found]

    from darkroom.dedupe import near
    from darkroom.execution.exits import reported_errors
    from darkroom.execution.workers import worker_pool

    near.FEW = 0  # so that the search is in tasks
    folder.mkdir(exist_ok=True)
    with reported_errors("digests"):
        print(json.dumps(outputs(source, folder, worker_pool())))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
