"""Locks between processes; whoever waits is told for whom."""

import logging
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

SECONDS_IN_SILENCE = 2.0
logger = logging.getLogger(__name__)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock `file` during the block; a wait of more than 2 seconds is logged with who holds it.

    The operating system releases the lock of a killed process. The holder is named in a file beside the lock.
    """
    lock, owner = FileLock(file), file.with_name(f"{file.name}.owner")
    try:
        lock.acquire(timeout=SECONDS_IN_SILENCE)
    except Timeout:
        logger.info("waiting for %s, held by %s", file, _read_owner(owner))
        lock.acquire()
    try:
        owner.write_text(_this_process(), encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _this_process() -> str:
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    return f"process {os.getpid()} ({Path(sys.argv[0]).name}) on {platform.node()} since {now}"


def _read_owner(owner: Path) -> str:
    try:
        return owner.read_text(encoding="utf-8") or "another process"
    except OSError:  # it got the lock this moment
        return "another process"
