"""Which networks are served as ONNX graphs: those whose graph answers as Keras does."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from darkroom.core.errors import first_line
from darkroom.explain.heat_maps import heat_mapper
from darkroom.graphs.convert import network_to_onnx
from darkroom.graphs.heat import load_heat_mapper
from darkroom.graphs.layer_cam import layer_cam_to_onnx
from darkroom.graphs.session import open_session
from darkroom.images.decode import decode
from darkroom.images.packed import stream_pictures
from darkroom.params.schema import ImageParams

if TYPE_CHECKING:
    import keras

PICTURES = 1000  # of validation, at most; of large ones fewer, so that they fit into memory
PIXELS = 2**26
LARGEST = 1e-5  # difference in a probability
LARGEST_HEAT = 1e-3  # of 0-1; a heat map is shown in steps of 1/255
HEAT_PICTURES = 8
AT_ONCE = 2**19  # pixels that the networks see at a time

logger = logging.getLogger(__name__)


def validation_pixels(images: Path, answers: pd.DataFrame, image: ImageParams) -> np.ndarray:
    """Return pictures of the validation split (n, size, size, 3) uint8, evenly chosen, decoded as they are served.

    `answers` has the columns image_id and split of tables.ANSWERS.
    """
    ids = answers["image_id"][answers["split"] == "validation"].to_numpy()
    count = min(len(ids), PICTURES, max(1, PIXELS // image.size**2))
    places = {name: place for place, name in enumerate(ids[np.linspace(0, len(ids) - 1, count).astype(int)].tolist())}
    pixels = np.zeros((count, image.size, image.size, 3), np.uint8)
    for name, data in stream_pictures(images, places.keys()):
        pixels[places[name]] = decode(data, **image.model_dump())
    return pixels


def write_graphs(folder: Path, network: "keras.Model", pixels: np.ndarray) -> str:
    """Write network.onnx to `folder`, and heat_map.onnx where it can be; return "", or why neither is written.

    `pixels` are pictures (n, size, size, 3) uint8 on which Keras and ONNX Runtime have to agree. The reason is one for
    a report: what libraries say is only logged.
    """
    try:
        graph = network_to_onnx(network)
        difference = largest_difference(network, graph, pixels)
    except Exception as error:  # whatever tf2onnx and ONNX Runtime may raise
        return _refusal("the network cannot be exported to ONNX", first_line(error))
    if not difference <= LARGEST:
        return _refusal(f"ONNX Runtime's probabilities differ by more than {LARGEST:g}", f"by {difference:.2g}")
    logger.info("ONNX Runtime serves; on %d validation pictures Keras differs by %.1g", len(pixels), difference)
    (folder / "network.onnx").write_bytes(graph)
    _write_heat_map(folder, network, pixels[:HEAT_PICTURES])
    return ""


def _refusal(reason: str, detail: str) -> str:
    logger.warning("Keras serves: %s (%s)", reason, detail)
    return reason


def largest_difference(network: "keras.Model", graph: bytes, pixels: np.ndarray) -> float:
    """Return the largest difference between the probabilities of Keras, on the processor, and of ONNX Runtime."""
    import tensorflow as tf

    session, step, largest = open_session(graph), max(1, AT_ONCE // pixels.shape[1] ** 2), 0.0
    traced = tf.function(lambda batch: network(batch, training=False), autograph=False, reduce_retracing=True)
    for start in range(0, len(pixels), step):
        batch = pixels[start : start + step]
        with tf.device("CPU:0"):
            expected = np.asarray(traced(tf.constant(batch)))
        (found,) = session.run(["probabilities"], {"pixels": batch})
        largest = float(np.maximum(largest, np.abs(found - expected).max()))  # NaN stays
    return largest


def _write_heat_map(folder: Path, network: "keras.Model", pixels: np.ndarray) -> None:
    """Write heat_map.onnx unless there is none for this network, or it shows something else than heat_maps does."""
    import tensorflow as tf

    path, classes = folder / "heat_map.onnx", np.arange(len(pixels)) % network.output_shape[1]
    try:
        path.write_bytes(layer_cam_to_onnx(network))
        with tf.device("CPU:0"):
            expected = heat_mapper(network)(pixels, classes, len(pixels))
        found = load_heat_mapper(folder)
        difference = np.abs(found(pixels, classes) - expected).max(initial=0) if found else np.inf
        reason = "" if difference <= LARGEST_HEAT else f"the graph's differ by {difference:.2g}"
    except Exception as error:  # whatever tf2onnx and ONNX Runtime may raise
        reason = first_line(error)
    if reason:
        path.unlink(missing_ok=True)
        logger.warning("served answers have no heat maps: %s", reason)
