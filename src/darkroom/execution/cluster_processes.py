"""Calls in processes of their own on the nodes of a cluster, behind the interface of `Processes`."""

import os
import pickle
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from darkroom.core.errors import UserError
from darkroom.core.paths import project_root
from darkroom.execution.cluster import slots
from darkroom.execution.processes import Answer, Died, Killed, Processes, outcome
from darkroom.execution.ray_executor import RayExecutor
from darkroom.execution.workers import prepare_workers

GPUS = "CUDA_VISIBLE_DEVICES"  # Ray sets it for each task
R = TypeVar("R")


class ClusterProcesses:
    """Calls functions as tasks of the cluster, each in a process of its own, several when several threads call.

    A task takes `cpus` and `gpus` of a node, and sees no other GPUs. `slots` is how many tasks the nodes hold at once.
    The processes begin with the module `preloaded`, which each worker of Ray imports once. A context manager: tasks
    that still run when the block is left, as on Ctrl-C, are ended. Raises UserError when no node is large enough, and
    what `cluster.connect` does.
    """

    def __init__(self, cpus: int, gpus: int, preloaded: str) -> None:
        self.slots = slots(cpus, gpus)
        if not self.slots:
            wanted = f"{cpus} CPUs and {gpus} GPUs" if gpus else f"{cpus} CPUs"
            lower = "train.threads or train.devices" if gpus else "train.threads"
            raise UserError(f"a training takes {wanted}, and no node of the cluster has as many; lower {lower}", 1)
        self._executor = RayExecutor(cpus, gpus, retried=Died)
        self._preloaded = preloaded
        self._closed = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End what still runs; the calls that wait for it raise CancelledError."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def call(self, function: Callable[..., R], *arguments: Any, answer: Answer | None = None) -> R:
        """Return what `function` returns when a task calls it; like `Processes.call`, but for who answers.

        A copy of `answer` does, on the node. When the task has ended, with a result or an error, this one is asked the
        same once more, in the same order: so it knows afterwards what it would know. A task whose process, worker or
        node dies is run again, up to 3 times, then this raises Died, and Killed when it was killed.
        """
        if self._closed:
            raise UserError("a process was not started, as another call had failed", 1)
        future = self._executor.submit(_answered, str(project_root()), self._preloaded, function, arguments, answer)
        try:
            message, questions = future.result()
        except BrokenProcessPool:
            raise Killed("a process was killed; it probably ran out of memory", 1) from None
        if answer:
            for question in questions:
                answer(question)
        kind, value = pickle.loads(message)
        if kind == "error":
            raise value
        result: R = value
        return result


def _answered(
    root: str, preloaded: str, function: Callable[..., Any], arguments: tuple[Any, ...], answer: Answer | None
) -> tuple[bytes, list[Any]]:
    """Return the outcome of a call in a process of its own, and what it asked (runs on a node).

    Raises Died when the process did.
    """
    os.environ.setdefault("DVC_ROOT", root)  # where the cache is: the folder of this process is another one
    vars(sys.modules["__main__"]).pop("__file__", None)  # Ray's script, which each process would run again
    if sys.platform == "linux":  # elsewhere no process may be forked from one that has loaded such libraries
        prepare_workers(preloaded)
    questions: list[Any] = []

    def noted(question: Any) -> Any:
        questions.append(question)
        return answer(question) if answer else None

    call = partial(_outcome_with, os.environ.get(GPUS), function, arguments, answer is not None)
    with Processes() as processes:
        return processes.call(call, answer=noted), questions


def _outcome_with(
    gpus: str | None, function: Callable[..., Any], arguments: tuple[Any, ...], asks: bool, ask: Answer
) -> bytes:
    """Return the outcome of a call that sees some GPUs (runs in the process)."""
    if gpus is not None:  # those that the server of processes has seen may be other ones
        os.environ[GPUS] = gpus
    return outcome(partial(function, *arguments, ask) if asks else partial(function, *arguments))
