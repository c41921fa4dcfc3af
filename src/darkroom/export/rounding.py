"""Weights of 8 bits: rounded in the network itself, whose normalisations then make up for the shift of the means."""

from typing import TYPE_CHECKING

import numpy as np

from darkroom.models.features import members_of
from darkroom.models.fused import normalisations

if TYPE_CHECKING:
    import keras

FEWEST = 1024  # numbers of a kernel that is rounded: smaller ones matter most and weigh least; as in LiteRT's converter
PICTURES = 300  # of train, whose means are compared
AT_ONCE = 50


def round_weights(network: "keras.Model", pixels: np.ndarray) -> None:
    """Round the kernels of a network to 8 bits, with a scale for each channel, and correct the means behind them.

    `pixels` (n, size, size, 3) uint8 are training pictures. Rounding shifts the mean of each channel; the normalisation
    that follows takes the shift into its own mean. M. Nagel et al., Data-free quantization through weight equalization
    and bias correction, ICCV 2019, correct biases likewise. A converter that rounds with a scale for each channel finds
    the same whole numbers, also when it has folded normalisations into kernels.
    """
    for member in members_of(network):
        _round_member(member, pixels)


def _round_member(network: "keras.Model", pixels: np.ndarray) -> None:
    layers = list(normalisations(network))
    before = _means(network, layers, pixels)
    for variable in network.weights:
        if variable.name.endswith("kernel") and np.prod(variable.shape) >= FEWEST:
            variable.assign(rounded(np.asarray(variable), _channel_axes(variable)))
    shifts = [after - own for after, own in zip(_means(network, layers, pixels), before, strict=True)]
    for layer, shift in zip(layers, shifts, strict=True):
        layer.moving_mean.assign(np.asarray(layer.moving_mean) + shift)


def rounded(values: np.ndarray, channels: tuple[int, ...]) -> np.ndarray:
    """Return the values rounded to 255 steps, symmetric about 0, with one scale for each place along `channels`."""
    others = tuple(axis for axis in range(values.ndim) if axis not in channels)
    scales = np.maximum(np.abs(values).max(axis=others, keepdims=True) / 127, 1e-12)
    return np.asarray(np.clip(np.rint(values / scales), -127, 127) * scales, np.float32)


def _channel_axes(variable: "keras.Variable") -> tuple[int, ...]:
    """Return the axes of the outputs: of a depthwise kernel, with one filter for each input, the last two."""
    shape = variable.shape
    depthwise = len(shape) == 4 and shape[3] == 1 and shape[2] > 1
    return (2, 3) if depthwise else (len(shape) - 1,)


def _means(network: "keras.Model", layers: "list[keras.layers.Layer]", pixels: np.ndarray) -> list[np.ndarray]:
    """Return the mean of what comes into each normalisation, the ones before it normalising by the pictures at hand."""
    weights, trained = network.get_weights(), [layer.trainable for layer in layers]
    for layer in layers:
        layer.trainable = True
    found = [_batch_means(network, layers, pixels[start : start + AT_ONCE]) for start in range(0, len(pixels), AT_ONCE)]
    network.set_weights(weights)
    for layer, flag in zip(layers, trained, strict=True):
        layer.trainable = flag
    return [np.mean(values, axis=0) for values in zip(*found, strict=True)]


def _batch_means(network: "keras.Model", layers: "list[keras.layers.Layer]", pixels: np.ndarray) -> list[np.ndarray]:
    for layer in layers:
        layer.moving_mean.assign(np.zeros(layer.moving_mean.shape, np.float32))
    network(pixels.astype(np.float32), training=True)  # moves each from 0 to (1 - momentum) times what the batch has
    return [np.asarray(layer.moving_mean) / (1 - layer.momentum) for layer in layers]
