"""TensorFlow started the way that gives the same result each time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError
from darkroom.execution.quiet import without_collections, without_native_messages

# flags of /proc/cpuinfo, of x86 and of ARM; oneDNN computes float16 on x86 with AVX-512 FP16 or AMX only
QUICK = {"bfloat16": {"avx512_bf16", "amx_bf16", "bf16"}, "float16": {"avx512_fp16", "amx_fp16", "fphp"}}

ABLE = {"bfloat16": (8, 0), "float16": (7, 0)}  # NVIDIA's compute capability, of the first GPU


def start_tensorflow(threads: int) -> Any:
    """Import TensorFlow, deterministic and on `threads` processor threads (they decide the last bits); return it."""
    with without_native_messages(), without_collections():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:  # already started, in a process that trains several times: must be the same then
            if tf.config.threading.get_intra_op_parallelism_threads() != threads:
                raise
        tf.config.list_logical_devices()
        tf.get_logger().setLevel("ERROR")  # a search builds a network for each trial; that is no mistake
    return tf


@contextmanager
def in_precision(precision: str) -> Iterator[None]:
    """Build layers that compute in `precision`; their weights stay float32. Warns where that is slow.

    "auto" is bfloat16 where the machine has instructions for it, else float32.
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
    """Say it when this machine has no instructions for `precision` and computes it in many steps."""
    if not is_quick(precision):
        print(
            f"train.precision = {precision}: no instructions for it are known here; float32 may be much quicker",
            file=sys.stderr,
        )


def is_quick(precision: str) -> bool:
    """Return whether this machine is known to have instructions for `precision`."""
    import tensorflow as tf

    if gpus := tf.config.list_physical_devices("GPU"):
        ability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
        return ability >= ABLE[precision]
    described = Path("/proc/cpuinfo")
    return described.exists() and bool(set(described.read_text(encoding="utf-8").split()) & QUICK[precision])


@contextmanager
def distributed(devices: int) -> Iterator[None]:
    """Train on `devices` devices of this machine at once, each with its share of every batch.

    GPUs when there are some, else TensorFlow's logical devices. Raises UserError when there are fewer.
    """
    if devices == 1:
        yield
        return
    import tensorflow as tf

    there = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(there) < devices:
        names = ", ".join(device.name for device in there)
        raise UserError(f"train.devices = {devices}: this machine has {len(there)} ({names}); lower it")
    with _mirrored(tuple(device.name for device in there[:devices])).scope():
        yield


@cache
def _mirrored(names: tuple[str, ...]) -> Any:
    """Return the strategy of these devices, one in a process: a second would take the first's collective operations."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names)
