"""The reference of ingest: every file of a .zip read and decoded by Pillow, on every core, and nothing else.

Its clock starts when its processes stand, have Pillow and have opened the archive, which takes each of them as long as
it takes the first to list it; ingest's clock runs while its own are forked.
"""

import json
import sys
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from io import BytesIO
from multiprocessing import get_context

FILES_AT_ONCE = 1024


@cache
def open_archive(path: str) -> zipfile.ZipFile:
    """Return the archive, opened once in each process."""
    return zipfile.ZipFile(path)


def decode(path: str, names: list[str]) -> int:
    """Decode some files whole; return how many."""
    from PIL import Image

    for name in names:
        Image.open(BytesIO(open_archive(path).read(name))).load()
    return len(names)


def get_ready(path: str) -> None:
    """Load what decoding needs; long enough that no worker is asked twice."""
    from PIL import Image

    Image.init()
    open_archive(path)
    time.sleep(2)


def main(path: str) -> None:
    from joblib import cpu_count

    processes = cpu_count()
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(pool.map(get_ready, [path] * processes))
        start = time.perf_counter()
        names = sorted(entry.filename for entry in open_archive(path).infolist() if not entry.is_dir())
        parts = [names[first : first + FILES_AT_ONCE] for first in range(0, len(names), FILES_AT_ONCE)]
        count = sum(pool.map(decode, [path] * len(parts), parts))
        passed = time.perf_counter() - start
    print(json.dumps({"pictures": count, "work": passed}))


if __name__ == "__main__":
    main(sys.argv[1])
