"""How quickly this machine trains a network: a few steps of it, with everything that an epoch of `train` does."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from darkroom.params.declared import DeclaredParams
from darkroom.params.schema import Params

PIXELS = 250_000  # of an epoch that is timed, at least, of one channel: 250 pictures of 32 pixels
STEPS, LARGE = 2, 128  # of such an epoch, at least; one of a batch of so many pictures is enough
AT_ONCE = 2**16  # pixels of the pictures that are answered at once: 64 of 32 pixels; evaluate takes more, as quickly
VALIDATED = 32  # pictures
LOOPS, LOOP = 28_000_000, 1_000_000  # of Python: in a second on the reference machine; timed at once
HEAD = 1.5e-5  # seconds for a picture of an epoch that trains a head on kept features
TRIES = 4  # of what is timed, of which the quickest counts: other work on the machine only adds to it
GENTLE = {"learning_rate": 1e-6}  # the labels are drawn too: nothing is to be learnt, and nothing may diverge
SECTIONS = ["train", "model", "augment", "image", "finetune"]


@dataclass(frozen=True)
class Speed:
    """Seconds of wall time on this machine.

    `start` until the first step, and for tracing each kind of epoch; `epoch` beside the steps of an epoch. For each
    picture: `small` in the epochs on smaller pictures (0.0 when there are none), `whole` in the others, `tuned` while
    a backbone is fine-tuned, `answer` from the network as it is served, `decode` from a file to pixels. `python` is
    what a second of plain Python on the reference machine takes here.
    """

    start: float
    epoch: float
    small: float
    whole: float
    tuned: float
    answer: float
    decode: float
    python: float


@dataclass(frozen=True)
class Epoch:
    """An epoch that was timed: seconds of its steps for each picture, all its seconds."""

    picture: float
    seconds: float


def measure_speed(params: Params, pictures: tuple[int, float], classes: int, weights: Path) -> Speed:
    """Train the network of `params` on drawn pictures, two epochs of each kind; the second ones count.

    Epochs on smaller pictures are not timed: their steps take as much less time as there are fewer pixels.
    `pictures`: their shorter side in pixels, and longer side / shorter side; `weights`: the folder that model.weights
    may name a file of. TensorFlow must have been started (`start_tensorflow`).
    """
    from darkroom.models.backbones import is_pretrained
    from darkroom.train.frozen import keeps_features

    short = DeclaredParams(_shortened(params), SECTIONS, "begin")
    batch = params.train.batch_size
    count = max(batch if batch >= LARGE else STEPS * batch, PIXELS // params.image.size**2)
    began = time.monotonic()
    network, epochs = _trained(short, count, classes, weights)
    taken = time.monotonic() - began
    timed = epochs[1::2]  # of each kind; the first of each starts it
    each = _seconds_per_picture(timed, is_pretrained(short.model) and keeps_features(short))
    start, shrinks = max(taken - 2 * sum(epoch.seconds for epoch in timed), 0.0), params.train.small_epochs > 0
    return Speed(
        start=2 * start if shrinks else start,
        epoch=max(min(epoch.seconds - count * picture for epoch, picture in zip(timed, each, strict=True)), 0.0),
        small=each[0] * (params.train.small_size / params.image.size) ** 2 if shrinks else 0.0,
        whole=each[0],
        tuned=each[1] if len(each) > 1 else 0.0,
        answer=_time_answers(network, params),
        decode=_time_decoding(params, *pictures),
        python=time_python(),
    )


def _seconds_per_picture(timed: list[Epoch], head_first: bool) -> list[float]:
    """Return the seconds that each kind of epoch takes for a picture.

    Of an epoch of a head nearly all is its start, which counts for the other kind of epoch too.
    """
    if not head_first:
        return [epoch.picture for epoch in timed]
    return [HEAD, *(max(epoch.picture - timed[0].picture, HEAD) for epoch in timed[1:])]


def _shortened(params: Params) -> Params:
    """Return the parameters with two epochs of each kind that is timed."""
    train = params.train.model_copy(update={"epochs": 2, "small_epochs": 0, "patience": 0} | GENTLE)
    tuned = params.finetune.model_copy(update={"epochs": 2 if params.finetune.epochs else 0} | GENTLE)
    return params.model_copy(update={"train": train, "finetune": tuned})


def _trained(params: DeclaredParams, count: int, classes: int, weights: Path) -> tuple[object, list[Epoch]]:
    """Return the network and its epochs on `count` pictures; validation has VALIDATED of them."""
    from darkroom.examples.pixels import Examples
    from darkroom.train.checkpoint import Checkpoint
    from darkroom.train.fit import fit

    chance, side = np.random.default_rng(0), params.image.size
    pixels = chance.integers(0, 256, (count, side, side, 3), np.uint8)
    rows, labels = np.arange(count), (np.arange(count) % classes).astype(np.int32)
    train = Examples(pixels, rows, labels, tuple(map(str, range(classes))))
    some = slice(VALIDATED)
    validation = Examples(pixels, rows[some], labels[some], train.classes)
    epochs: list[Epoch] = []
    before = [0.0]

    def log(metrics: dict[str, float], _: int) -> None:
        now = time.monotonic()
        epochs.append(Epoch(1 / metrics["images_per_second"], now - before[0]))
        before[0] = now

    with tempfile.TemporaryDirectory() as folder:
        fitted = fit({"train": train, "validation": validation}, params, weights, Checkpoint(Path(folder)), log)
    return fitted.network, epochs


def _time_answers(network: object, params: Params) -> float:
    """Return the seconds that an answer takes, in a batch as large as those of evaluate."""
    from darkroom.models.combine import combine

    served, side = combine([network], params.model.average), params.image.size
    count = max(1, min(params.evaluate.batch_size, AT_ONCE // side**2))
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    served.predict_on_batch(pixels)
    return min(_seconds(lambda: served.predict_on_batch(pixels)) for _ in range(TRIES)) / count


def _seconds(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.monotonic()
    call()
    return time.monotonic() - began


def _time_decoding(params: Params, side: int, aspect: float) -> float:
    """Return the seconds to decode a JPEG of coarse noise, of this shorter side and aspect, to the network's size."""
    from PIL import Image

    from darkroom.images.decode import decode

    noise = np.random.default_rng(0).integers(0, 256, (side // 8 + 1, side // 8 + 1, 3), np.uint8)
    file = BytesIO()
    Image.fromarray(noise).resize((round(side * aspect), side)).save(file, "JPEG", quality=90)
    return min(_seconds(lambda: decode(file.getvalue(), **params.image.model_dump())) for _ in range(TRIES))


def time_python() -> float:
    """Return the seconds of a loop that takes one second on the reference machine; stages start in plain Python."""
    return LOOPS / LOOP * min(_seconds(_loop) for _ in range(TRIES))


def _loop() -> int:
    total = 0
    for number in range(LOOP):
        total += number & 3
    return total
