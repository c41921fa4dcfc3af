"""What a network costs: parameters, multiply-adds, bytes, time and memory."""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

BATCHES = (1, 32)  # pictures at a time whose latency is measured
SECONDS = 0.5  # for each of them; a single call may take longer
KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")  # weights of the layers that are counted
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of getrusage's peak memory


def network_cost(network: "keras.Model", file: Path) -> dict[str, int]:
    """Return the parameters, the multiply-adds for one picture, and the bytes of the file that holds the network."""
    return {
        "parameters": int(network.count_params()),
        "multiply_adds": multiply_adds(network),
        "file_bytes": file.stat().st_size,
    }


def multiply_adds(network: "keras.Model") -> int:
    """Return the multiply-adds of the convolutions and dense layers for one picture, those of nested networks too.

    A network that averages views of a picture counts as often as it is called. Normalisation, activation and pooling
    do not count, as is usual.
    """
    layers = [layer for layer in network.get_config()["layers"] if "inbound_nodes" in layer]
    calls = {layer["name"]: len(layer["inbound_nodes"]) for layer in layers}
    return sum(calls.get(layer.name, 1) * _of_layer(layer) for layer in network.layers)  # a Sequential names no calls


def _of_layer(layer: Any) -> int:
    """Return the multiply-adds of one call: each number of a kernel is used once at each place of the output."""
    import keras

    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    sizes = [int(np.prod(getattr(layer, name).shape)) for name in KERNELS if getattr(layer, name, None) is not None]
    return sum(sizes) * int(np.prod(layer.output.shape[1:-1])) if sizes else 0


def measure_latency(network: "keras.Model", size: int, threads: int) -> dict[str, float]:
    """Return what answers take on this machine: batch1_p50, batch1_p95, batch32_p50, batch32_p95, in milliseconds.

    The time is of a whole batch of pictures (n, size, size, 3) uint8, through a traced function, as in serving.
    `threads`, those of TensorFlow, and `peak_memory`, of this process so far in MB, stand beside. It takes about
    a second, more where single calls are slower; nothing of it is the same twice.
    """
    import tensorflow as tf

    pixels = tf.TensorSpec((None, size, size, 3), tf.uint8)
    traced = tf.function(lambda batch: network(batch, training=False), input_signature=[pixels])
    result: dict[str, float] = {"threads": threads}
    for count in BATCHES:
        batch = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)
        times = _milliseconds(lambda batch=batch: np.asarray(traced(batch)))  # type: ignore[misc]
        result |= {f"batch{count}_p{share}": float(np.percentile(times, share)) for share in (50, 95)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES
    return {**result, "peak_memory": peak / 1e6}


def _milliseconds(work: Callable[[], Any]) -> list[float]:
    """Return how long each call took in `SECONDS`, at least one; the first one, which warms up, is left out."""
    work()
    times = [_timed(work)]
    while sum(times) < SECONDS * 1000:
        times.append(_timed(work))
    return times


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
