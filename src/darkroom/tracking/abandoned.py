"""Runs whose process was killed: MLflow would show them as running for ever."""

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mlflow import MlflowClient

PROCESS_TAG = "darkroom.process"


class Process(NamedTuple):
    """A process among those of all machines and containers that share a store; a part that is unknown is empty.

    Containers may have the same host name and the same process ids: `boot` tells kernels apart, `namespace` containers,
    and `start` (clock ticks after the boot) processes that had one id after another.
    """

    host: str
    boot: str
    namespace: str
    pid: str
    start: str


def this_process() -> str:
    """Return the parts of Process for this process, as the text of a tag."""
    pid = str(os.getpid())
    return "/".join(Process(platform.node(), *_container(), pid, _start_of(pid)))


def close_abandoned(client: "MlflowClient", experiment: str) -> None:
    """Close, as KILLED, the runs of an experiment (its id) whose process has ended.

    A run whose process cannot be looked up (of another machine or container, or outside Linux) is left alone.
    """
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        if _has_ended(run.data.tags.get(PROCESS_TAG, "")):
            client.set_terminated(run.info.run_id, "KILLED")


def _has_ended(tag: str) -> bool:
    parts = tag.split("/")
    if len(parts) != len(Process._fields) or not all(parts):
        return False
    process = Process(*parts)
    if (process.host, process.boot, process.namespace) != (platform.node(), *_container()):
        return False
    start = _start_of(process.pid)
    return start != process.start if start else not _exists(process.pid)


def _exists(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's, which a mount option of /proc may hide
        pass
    return True


def _container() -> tuple[str, str]:
    """Return what names the boot of the kernel and the PID namespace; both are empty outside Linux."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return boot, os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - a link to no file
    except OSError:
        return "", ""


def _start_of(pid: str) -> str:
    """Return when a process started, in clock ticks after the boot; empty when there is none, or outside Linux."""
    try:
        facts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return facts.rpartition(")")[2].split()[19]  # field 22 of proc(5); the name of the program, in ( ), is field 2
