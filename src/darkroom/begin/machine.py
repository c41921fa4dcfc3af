"""What there is to train with: cores, memory, GPUs, available weights, and how quickly a network learns here."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from darkroom.begin.speed import Speed
from darkroom.params.load import Overlay

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container, v2 and v1

Weights = Callable[[str, float, int], str]


@dataclass(frozen=True)
class Machine:
    """This machine.

    `memory` is in bytes. `weights` returns the value of model.weights for an architecture, its width and the size of
    the pictures; "" when none are available. `measure` trains a network with the given settings for a moment.
    """

    cores: int
    memory: int
    gpus: int
    bfloat16: bool
    weights: Weights
    measure: Callable[[Overlay], Speed]


def usable_memory() -> int:
    """Return the bytes of memory that this process may use: the machine's, or fewer in a container."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in LIMITS:
        limit = Path(name).read_text(encoding="utf-8").strip() if Path(name).exists() else ""
        found += [int(limit)] if limit.isdigit() else []
    return min(found)


def this_machine(weights: Weights, measure: Callable[[Overlay], Speed]) -> Machine:
    """Return what this process may use; TensorFlow is started, with a thread for each core."""
    from joblib import cpu_count

    from darkroom.examples.runtime import is_quick, start_tensorflow

    cores = cpu_count()
    gpus = start_tensorflow(cores).config.list_physical_devices("GPU")
    return Machine(cores, usable_memory(), len(gpus), is_quick("bfloat16"), weights, measure)
