"""Whether heat maps explain: deletion (low is good) and insertion (high is good) of each method, for a small network.

A conv network is trained on digits of scikit-learn at 16x16, a residual one on pictures of DATA at 32x32, each in a
minute or so; the maps are of the predicted class. The reference is plain Grad-CAM: gradients averaged over the last
map. All work on the same pictures, none of which the network was trained on.
"""

import argparse
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from working_copy import print_table

ROOT = Path(__file__).parents[1]
SEED, BATCH = 0, 100
CONV = {"architecture": "conv", "filters": [32, 64, 128]}
RESIDUAL = {"architecture": "residual", "filters": [24, 48, 96], "head": "average", "dense": []}
Data = tuple[np.ndarray, np.ndarray]  # pixels (n, side, side, 3) uint8, labels (n,)


def digits() -> Data:
    from sklearn.datasets import load_digits

    loaded = load_digits()
    grey = np.round(loaded.images * 255 / 16).astype(np.uint8).repeat(2, axis=1).repeat(2, axis=2)
    return grey[..., None].repeat(3, axis=3), loaded.target


def pictures(folder: Path, count: int, side: int) -> Data:
    """Return a sample of the pictures of class folders, wherever in `folder` these are."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png"))
    chosen = [files[place] for place in np.random.default_rng(SEED).permutation(len(files))[:count]]
    pixels = [np.asarray(Image.open(file).convert("RGB").resize((side, side))) for file in chosen]
    return np.stack(pixels), np.unique([file.parent.name for file in chosen], return_inverse=True)[1]


def grad_cam(network: Any, pixels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return plain Grad-CAM at the last map (n, side, side). R. R. Selvaraju et al., ICCV 2017 (arXiv:1610.02391)."""
    import cv2
    import tensorflow as tf

    from darkroom.models.maps import map_layers, outputs_model

    model = outputs_model(network, map_layers(network)[-1:])
    with tf.GradientTape() as tape:
        maps, logits = model(tf.constant(pixels, tf.float32), training=False)
        score = tf.gather(logits, classes, batch_dims=1)
    weights = tf.reduce_mean(tape.gradient(score, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1)).numpy()
    return np.stack([cv2.resize(small, pixels.shape[1:3]) for small in heat])


def trained(train: Data, test: Data, epochs: int, model: dict[str, Any]) -> tuple[Any, float]:
    """Return a network and its accuracy on `test`."""
    import keras

    from darkroom.models.architecture import build_network
    from darkroom.models.residual import start_residual
    from darkroom.params.load import load_params

    keras.utils.set_random_seed(SEED)
    params = load_params(ROOT / "params.yaml").model
    network = build_network(params.model_copy(update=model), train[0].shape[1], int(train[1].max()) + 1)
    if model["architecture"] == "residual":
        start_residual(network, train[0][:2000])
    network.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(*train, batch_size=64, epochs=epochs, verbose=0)
    return network, network.evaluate(*test, verbose=0)[1]


def maps(network: Any, pixels: np.ndarray, classes: np.ndarray) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield the name of each method, its maps and its seconds."""
    from darkroom.explain.heat_maps import heat_mapper
    from darkroom.explain.occlusion import occlusion_maps

    methods = {
        "Layer-CAM": lambda: heat_mapper(network)(pixels, classes, BATCH),
        "occlusion": lambda: occlusion_maps(network, pixels, classes, BATCH),
        "Grad-CAM, last map": lambda: grad_cam(network, pixels, classes),
    }
    for name, make in methods.items():
        start = time.monotonic()
        yield name, make(), time.monotonic() - start


def measure(name: str, data: Data, epochs: int, model: dict[str, Any], asked: int, folder: Path | None) -> None:
    from darkroom.explain.faithfulness import faithfulness

    order = np.random.default_rng(SEED).permutation(len(data[0]))
    test, train = ((data[0][part], data[1][part]) for part in np.split(order, [len(order) // 4]))
    start = time.monotonic()
    network, accuracy = trained(train, test, epochs, model)
    seconds, pixels = time.monotonic() - start, test[0][:asked]
    classes = network.predict(pixels, verbose=0).argmax(axis=1)
    rows: list[list[Any]] = []
    for method, heat, taken in maps(network, pixels, classes):
        found = faithfulness(network, pixels, classes, heat, BATCH, SEED)
        rows.append([method, found["deletion"], found["insertion"], taken])
        write_overlays(folder, f"{name} {method}", pixels, heat)
    rows += [[other, found[f"deletion_{other}"], found[f"insertion_{other}"], ""] for other in ("random", "centre")]
    print(
        f"{name}: {len(train[0])} pictures, {epochs} epochs in {seconds:.0f} s, accuracy {accuracy:.3f}, {asked} asked"
    )
    print_table(["map", "deletion", "insertion", "seconds"], *rows)


def write_overlays(folder: Path | None, name: str, pixels: np.ndarray, heat: np.ndarray) -> None:
    """Write the first pictures and, below them, their maps."""
    from darkroom.explain.heat_maps import overlay

    if folder:
        shares = heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-9)
        over = [overlay(picture, share) for picture, share in zip(pixels[:10], shares, strict=False)]
        plain = [np.asarray(Image.fromarray(one).resize(over[0].shape[:2], Image.Resampling.NEAREST)) for one in pixels]
        sheet = np.concatenate([np.concatenate(plain[:10], axis=1), np.concatenate(over, axis=1)])
        Image.fromarray(sheet).save(folder / f"{name}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a folder or a .zip of pictures in class folders")
    parser.add_argument("--pictures", type=int, default=12000, help="of DATA, a quarter of them for the test")
    parser.add_argument("--asked", type=int, default=200, help="pictures whose maps are measured")
    parser.add_argument("--overlays", type=Path, help="a folder for pictures with their maps")
    chosen = parser.parse_args()
    from darkroom.examples.runtime import start_tensorflow

    start_tensorflow(2)
    measure("digits", digits(), 15, CONV, chosen.asked, chosen.overlays)
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.data
        if folder.is_file():
            zipfile.ZipFile(folder).extractall(scratch)
            folder = Path(scratch)
        data = pictures(folder, chosen.pictures, 32)
    measure(chosen.data.stem, data, 3, RESIDUAL, chosen.asked, chosen.overlays)


if __name__ == "__main__":
    main()
