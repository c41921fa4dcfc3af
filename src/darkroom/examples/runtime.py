"""TensorFlow set up for reproducible results."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.execution.quiet import without_collections, without_native_messages

if TYPE_CHECKING:
    import tensorflow as tf

logger = logging.getLogger(__name__)
SLOW = "train.precision = %s: this machine is not known to have instructions for it; float32 may be much faster"
# flags in /proc/cpuinfo, of x86 and of ARM; oneDNN computes float16 on x86 with AVX-512 FP16 or AMX only
FAST = {"bfloat16": {"avx512_bf16", "amx_bf16", "bf16"}, "float16": {"avx512_fp16", "amx_fp16", "fphp"}}

CAPABILITIES = {"bfloat16": (8, 0), "float16": (7, 0)}  # NVIDIA's compute capability, of the first GPU


def start_tensorflow(threads: int) -> ModuleType:
    """Import TensorFlow and return it, deterministic and with `threads` CPU threads, which decide the last bits.

    Raises RuntimeError when it runs already, with another number of threads.
    """
    with without_native_messages(), without_collections():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:  # it runs already, in a process that trains several times
            if tf.config.threading.get_intra_op_parallelism_threads() != threads:
                raise
        tf.config.list_logical_devices()
        tf.get_logger().setLevel("ERROR")  # it warns of building many networks, as a search does
    started: ModuleType = tf
    return started


@contextmanager
def in_precision(precision: str) -> Iterator[None]:
    """Build layers that compute in `precision`, with weights in float32; warn where that is slow.

    "auto" means bfloat16 where the machine has instructions for it, float32 elsewhere.
    """
    import keras

    if precision == "auto":
        precision = "bfloat16" if is_quick("bfloat16") else "float32"
    if precision != "float32":
        _warn_if_slow(precision)
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")


@cache
def _warn_if_slow(precision: str) -> None:
    """Warn, once in a process, when this machine has no instructions for `precision`."""
    if not is_quick(precision):
        logger.warning(SLOW, precision)


def is_quick(precision: str) -> bool:
    """Return whether this machine is known to have instructions for `precision`."""
    import tensorflow as tf

    if gpus := tf.config.list_physical_devices("GPU"):
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
        return tuple(capability) >= CAPABILITIES[precision]
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and bool(set(cpu.read_text(encoding="utf-8").split()) & FAST[precision])


@contextmanager
def distributed(devices: int) -> Iterator[None]:
    """Train on `devices` devices of this machine, each with its share of every batch.

    They are GPUs if there are any, else TensorFlow's logical devices. Raises UserError when there are fewer.
    """
    if devices == 1:
        yield
        return
    import tensorflow as tf

    available = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(available) < devices:
        names = ", ".join(device.name for device in available)
        raise UserError(f"train.devices = {devices}: this machine has {len(available)} ({names}); lower it")
    with _mirrored(tuple(device.name for device in available[:devices])).scope():
        yield


@cache
def _mirrored(names: tuple[str, ...]) -> "tf.distribute.Strategy":
    """Return the strategy of these devices, the same in a process: a second would share collective operations."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names)
