"""What a phase trains on: pictures, or the features that a frozen backbone makes of them, computed once and kept."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.augmentation.variation import Variation
from darkroom.core.files import digest, remove, replacing
from darkroom.core.fingerprint import code_digest
from darkroom.core.paths import cache_folder
from darkroom.examples.pixel_cache import Pixels
from darkroom.examples.pixels import Examples
from darkroom.execution.locks import locked
from darkroom.execution.progress import progress
from darkroom.params.declared import DeclaredParams
from darkroom.train.debug import PLAIN
from darkroom.train.phases import Phase

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary

KEPT_BYTES = 4_000_000_000  # of features, those used last
ROOMS = ("augmentation", "examples", "models")  # whose code decides the features, beside this file
LIBRARIES = ("keras", "numpy", "opencv-python-headless", "tensorflow")


@dataclass(frozen=True)
class Part:
    """What a phase trains: the network or its head, on examples that `vary` changes as they are drawn.

    Each picture of `train` is there as often as its copies say.
    """

    trainer: "keras.Model"
    train: Examples
    validation: Examples
    vary: "Vary"


@dataclass(frozen=True)
class Passes:
    """Features (passes, pictures, width) float32 of pictures that were varied anew in each pass."""

    features: np.ndarray
    seed: int

    def vary(
        self,
        pixels: np.ndarray,  # noqa: ARG002
        targets: np.ndarray,
        rows: np.ndarray,
        epoch: int,
        part: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the features (n, width) of a pass drawn for each of `rows`, also for each copy, and the targets."""
        chance = np.random.default_rng([self.seed, 1 + epoch, part, 1])
        return self.features[chance.integers(len(self.features), size=len(rows)), rows], targets


def phase_part(
    network: "keras.Model", params: DeclaredParams, phase: Phase, data: dict[str, Examples], vary: "Vary"
) -> Part:
    """Return what a phase trains on; features of the frozen backbone where `finetune.passes` asks for them.

    Each epoch computes the backbone anew where a picture's target depends on how it is varied (MixUp, CutMix, a
    teacher), and where the first epochs see smaller pictures.
    """
    if not (phase.layers == 0 and keeps_features(params) and isinstance(vary, Variation)):
        return Part(network, data["train"].for_training(), data["validation"], vary)
    import keras

    pooled = network.get_layer(params.model.head).output
    extractor, head = keras.Model(network.input, pooled), keras.Model(pooled, network.output, name="head")
    passes = min(params.finetune.passes, phase.epochs) if _varies(params) else 1
    train = _kept_features(extractor, params, data["train"], passes, vary if _varies(params) else None)
    validation = _kept_features(extractor, params, data["validation"], 1, None)
    examples = _as_examples(train, data["train"]).for_training()
    return Part(head, examples, _as_examples(validation, data["validation"]), Passes(train, vary.seed))


def keeps_features(params: DeclaredParams) -> bool:
    """Return whether the frozen part of a training computes the features of its pictures once."""
    mixes = params.augment.mixup or params.augment.cutmix
    return params.finetune.passes > 0 and not mixes and not params.train.small_epochs


def _varies(params: DeclaredParams) -> bool:
    return any(getattr(params.augment, name) != value for name, value in PLAIN.items())


def _as_examples(features: np.ndarray, examples: Examples) -> Examples:
    return replace(examples, pixels=features[0], rows=np.arange(len(examples)))


def _kept_features(
    extractor: "keras.Model", params: DeclaredParams, examples: Examples, passes: int, vary: Variation | None
) -> np.ndarray:
    """Return the features (passes, pictures, width) float32, mapped from a file that any equal training uses."""
    file = cache_folder() / "features" / f"{_key(extractor, params, examples, passes, vary)}.npy"
    file.parent.mkdir(exist_ok=True)
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            _write_features(file, extractor, replace(examples, weights=None, copies=None), params, passes, vary)
            _delete_oldest(file)
        file.touch()  # it is used now
        features: np.ndarray = np.load(file, mmap_mode="r")
    return features


def _write_features(
    file: Path, extractor: "keras.Model", examples: Examples, params: DeclaredParams, passes: int, vary: "Vary | None"
) -> None:
    shape = (passes, len(examples), extractor.output_shape[-1])
    with replacing(file) as unfinished:
        features = np.lib.format.open_memmap(unfinished, "w+", np.float32, shape)
        batches = _all_batches(examples, params.train.batch_size, passes, vary)
        for number, start, pixels in progress(batches, None, "features of the frozen backbone, batches"):
            features[number, start : start + len(pixels)] = extractor.predict_on_batch(pixels)
        features.flush()


def _all_batches(
    examples: Examples, batch_size: int, passes: int, vary: "Vary | None"
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield the number of the pass, the place of the first picture, and the pixels of each batch."""
    from darkroom.examples.batches import Batches

    batches = Batches(examples, batch_size, variation=vary)
    for number in range(passes):
        batches.epoch, start = number, 0
        for pixels, *_ in batches:
            yield number, start, pixels
            start += len(pixels)


def _key(
    extractor: "keras.Model", params: DeclaredParams, examples: Examples, passes: int, vary: Variation | None
) -> str:
    """Return the digest of all that decides the features to the last bit."""
    import tensorflow as tf

    model, train = params.model, params.train
    weights = sha256()
    for weight in extractor.get_weights():
        weights.update(weight.tobytes())
    how = [model.architecture, model.width, model.head, train.batch_size, train.threads, weights.hexdigest()]
    how += [device.name for device in tf.config.list_logical_devices()]
    code = code_digest(*(Path(__file__).parent.parent / room for room in ROOMS), Path(__file__))
    how += [extractor.layers[-1].compute_dtype, *map(version, LIBRARIES), code]
    varied = [passes, vary.seed, params.augment.model_dump_json()] if vary else []
    return digest([how, varied, _pictures_key(examples)])[:20]


def _pictures_key(examples: Examples) -> str:
    """Return the digest of the pictures, and of their rows, which decide how they are mirrored."""
    pixels, rows = examples.pixels, examples.rows
    if isinstance(pixels, Pixels):  # the name of its file says how pictures are decoded
        return digest([pixels.file.name, rows.tolist(), pixels.ids[rows].tolist()])
    return digest([rows.tolist(), sha256(pixels[rows].tobytes()).hexdigest()])


def _delete_oldest(newest: Path) -> None:
    """Delete the features that were used longest ago, until the others fit KEPT_BYTES."""
    known: dict[Path, Any] = {}
    for file in newest.parent.glob("*.npy"):
        with suppress(OSError):  # another process deleted it
            known[file] = file.stat()
    left = KEPT_BYTES
    for file in sorted(known, key=lambda one: known[one].st_mtime_ns, reverse=True):
        left -= known[file].st_size
        if left < 0 and file != newest:
            with suppress(OSError):
                remove(file)
