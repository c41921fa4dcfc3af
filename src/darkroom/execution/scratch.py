"""A folder for what a run needs only while it lasts."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from darkroom.execution.locks import locked

SCRATCH = re.compile(r"[^'\"]*/scratch/tmp\w+/empty")  # such a folder, in a text; the next run has another


@contextmanager
def scratch_folder(cache: Path) -> Iterator[Path]:
    """Yield a new folder below `cache`/scratch, deleted at the end; what killed runs left there is deleted first."""
    root = cache / "scratch"
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / "lock"):  # else one run could delete the folder that another is about to use
        for folder in root.glob("*/"):
            with suppress(Timeout), FileLock(folder / "used", timeout=0):
                shutil.rmtree(folder)
        folder = Path(tempfile.mkdtemp(dir=root))
        used = FileLock(folder / "used")
        used.acquire()
    try:
        empty = folder / "empty"
        empty.mkdir()
        yield empty
    finally:
        used.release()
        shutil.rmtree(folder)
