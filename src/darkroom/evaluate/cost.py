"""What an answer costs: numbers of weights and of multiply-adds, and the time that it takes on this machine."""

import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.models.features import calls_of, members_of

if TYPE_CHECKING:
    import keras

SECONDS = 0.7  # of measuring, for each size of a batch
BATCHES = (1, 32)


def network_cost(network: "keras.Model", file: Path) -> dict[str, int]:
    """Return parameters, multiply_adds (for one picture) and file_bytes."""
    return {
        "parameters": int(network.count_params()),
        "multiply_adds": multiply_adds(network),
        "file_bytes": file.stat().st_size,
    }


def multiply_adds(network: "keras.Model") -> int:
    """Return the multiply-adds of convolutions and dense layers for one picture; a member counts at each call."""
    members = members_of(network)
    if members == [network]:
        return _own(network)
    return sum(_own(member) * calls_of(network, member) for member in members)


def _own(model: "keras.Model") -> int:
    import keras

    return sum(_own(layer) if isinstance(layer, keras.Model) else _of_layer(layer) for layer in model.layers)


def _of_layer(layer: Any) -> int:
    """Return kernel elements times the positions that each is used at."""
    from keras import layers

    if isinstance(layer, layers.Dense):
        return int(np.prod(layer.kernel.shape))
    kernels = [weight for weight in layer.weights if "kernel" in weight.name]
    if not kernels or not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D):
        return 0
    height, width = layer.output.shape[1:3]
    return int(sum(np.prod(kernel.shape) for kernel in kernels)) * height * width


def measure_latency(network: "keras.Model", size: int, threads: int) -> dict[str, float]:
    """Return the median and 95th percentile in ms of answering 1 and 32 pictures, threads, and peak memory in MB.

    The network is traced, as the served one is; the first calls do not count.
    """
    import tensorflow as tf

    traced = tf.function(lambda pixels: network(pixels, training=False))
    found: dict[str, float] = {"threads": threads}
    for batch in BATCHES:
        pixels = tf.zeros((batch, size, size, 3), tf.uint8)
        for _ in range(2):
            traced(pixels).numpy()
        times = _times(lambda pixels=pixels: traced(pixels).numpy())
        found |= {f"p50_ms_batch_{batch}": float(np.median(times)), f"p95_ms_batch_{batch}": np.quantile(times, 0.95)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found | {"peak_memory_mb": peak / (1024 if sys.platform == "linux" else 1024**2)}


def _times(work: Any) -> list[float]:
    times, end = [], time.perf_counter() + SECONDS
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return times
