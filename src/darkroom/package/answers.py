"""The answers of a served model: decoding, the network, and a label for each row of a request."""

import base64
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import load_decision
from darkroom.graphs.heat import HeatMapper, load_heat_mapper, overlay_png
from darkroom.graphs.session import cores
from darkroom.images.decode import decode, prepare
from darkroom.images.limits import LargePicture
from darkroom.images.scaling import DECODE_VERSION
from darkroom.package.engine import Engine, load_engine
from darkroom.package.invocations import serve
from darkroom.package.options import DEFAULT, Options, read_options
from darkroom.package.requests import limit_errors, picture_bytes, picture_numbers, pictures_in
from darkroom.package.version import version_of

__all__ = ["COLUMNS", "HEAT_MAP", "load_answers", "pictures_in", "read_options", "serve"]  # the predictor's

COLUMNS = ("label", "score", "probabilities", "set", "abstains", "ood_score", "unfamiliar", "version", "error")
HEAT_MAP = "heat_map"  # one more when a request asks for explanations
PIXELS_AT_ONCE = 2**17  # of what the network sees: bounds the memory of its activations
ROWS_AT_ONCE = 256
SMALL = 2**21  # pixels of a picture as it was sent: bounds the memory of all that are decoded at a time
LATE = "the time of the request was over before this picture's turn; send fewer pictures at a time"

Answer = dict[str, Any]  # a value for each of COLUMNS


@dataclass(frozen=True)
class Detailed:
    """An answer, and the features (n,) float32 that the network has found; None where there is only an error."""

    answer: Answer
    features: np.ndarray | None


@dataclass(frozen=True)
class Answers:
    """Answers requests with an engine, as bundle.json says: classes in order, decoding, limits of a request.

    `rule` calibrates the probabilities and gives the sets, `familiarity` tells pictures unlike those of the training.
    Threads may share it.
    """

    engine: Engine
    classes: list[str]
    image: dict[str, Any]
    limits: dict[str, int]
    rule: Rule
    familiarity: Familiarity
    version: str = ""
    decoding: int = DECODE_VERSION
    heat_mapper: HeatMapper | None = None
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(cores()), repr=False)
    one_large: Lock = field(default_factory=Lock, repr=False)

    def __call__(self, values: Sequence[object], options: Options = DEFAULT) -> list[Answer]:
        """Return the answer on each value, a picture as bytes, base64 or numbers from 0 to 255 (requests.pictures_in).

        One that cannot be answered has only an error and the version.
        """
        return [detailed.answer for detailed in self.detailed(values, options)]

    def detailed(self, values: Sequence[object], options: Options = DEFAULT) -> list[Detailed]:
        """Return the answer on each value, as a call does, and its features."""
        errors = limit_errors(values, self.limits["rows"], self.limits["bytes"])
        rows = max(1, min(self.at_once, -(-len(values) // cores())))
        starts = range(0, len(values), rows)
        if len(starts) < 2:
            return self._batch(values, errors, options)
        parts = [(values[start : start + rows], errors[start : start + rows], options) for start in starts]
        return list(chain.from_iterable(self.pool.map(lambda part: self._batch(*part), parts)))

    @property
    def at_once(self) -> int:
        """How many pictures the network sees at once."""
        return max(1, min(ROWS_AT_ONCE, PIXELS_AT_ONCE // int(self.image["size"]) ** 2))

    def decode(self, data: bytes | np.ndarray) -> np.ndarray:
        """Return the pixels (size, size, 3) uint8 of a picture's bytes, or of itself.

        Raises ValueError with the reason. Of large pictures one at a time is decoded, whatever the number of threads.
        """
        most = self.limits["pixels"]
        read: Callable[..., np.ndarray] = (
            partial(decode, decoding=self.decoding) if isinstance(data, bytes) else prepare
        )
        try:
            return read(data, **self.image, max_pixels=min(most, SMALL))
        except LargePicture:
            with self.one_large:
                return read(data, **self.image, max_pixels=most)

    def answer_pixels(self, pixels: np.ndarray, options: Options = DEFAULT) -> list[Answer]:
        """Return the answers on decoded pictures (n, size, size, 3) uint8."""
        return [detailed.answer for detailed in self._detailed_pixels(pixels, options)]

    def _detailed_pixels(self, pixels: np.ndarray, options: Options) -> list[Detailed]:
        probabilities, features = self.engine(pixels)
        rule = self.rule if options.coverage is None else self.rule.at(options.coverage)
        shares = rule.calibrate(probabilities)
        rows = zip(shares, rule.sets(shares), self.familiarity.score(features), strict=True)
        answers = [self._describe(*row, options) for row in rows]
        if options.explain:
            for answer, drawn in zip(answers, self._explain(pixels, shares.argmax(axis=1)), strict=True):
                answer[HEAT_MAP] = drawn
        return [Detailed(*pair) for pair in zip(answers, features, strict=True)]

    def _explain(self, pixels: np.ndarray, classes: np.ndarray) -> list[str | None]:
        """Return where the network sees these classes, as base64 of a PNG; None when the bundle has no graph for it."""
        if not self.heat_mapper:
            return [None] * len(pixels)
        maps = self.heat_mapper(pixels, classes)
        return [base64.b64encode(overlay_png(*pair)).decode() for pair in zip(pixels, maps, strict=True)]

    def _batch(self, values: Sequence[object], errors: list[str | None], options: Options) -> list[Detailed]:
        answers: list[Detailed] = []
        pixels, places = [], []
        until = getattr(options, "until", inf)  # an app of an older darkroom, still running, knows no such option
        for place, (value, error) in enumerate(zip(values, errors, strict=True)):
            problem = error or (LATE if monotonic() > until else None)
            try:
                if not problem:
                    pixels.append(self.decode(self._read(value)))
                    places.append(place)
            except (ValueError, MemoryError) as failure:
                problem = str(failure) or "too large for the memory left"
            answers.append(Detailed({**dict.fromkeys(COLUMNS), "version": self.version, "error": problem}, None))
        found = self._detailed_pixels(np.stack(pixels), options) if pixels else []
        for place, answer in zip(places, found, strict=True):
            answers[place] = answer
        return answers

    def _read(self, value: object) -> bytes | np.ndarray:
        numbers = isinstance(value, list | tuple | np.ndarray)
        return picture_numbers(value) if numbers else picture_bytes(value, self.limits["picture_bytes"])

    def _describe(self, shares: np.ndarray, members: np.ndarray, unfamiliar: np.floating, options: Options) -> Answer:
        """Return an answer; it abstains unless the set names one class and the picture looks like those of training."""
        best = int(shares.argmax())
        score, unlike = float(shares[best]), bool(unfamiliar > 1)
        ranked = range(len(shares)) if options.top is None else np.argsort(-shares, kind="stable")[: options.top]
        return {
            "label": self.classes[best],
            "score": score,
            "probabilities": {self.classes[place]: float(shares[place]) for place in ranked},
            "set": [self.classes[place] for place in np.flatnonzero(members)],
            "abstains": bool(members.sum() != 1 or unlike or score < options.threshold),
            "ood_score": float(unfamiliar),
            "unfamiliar": unlike,
            "version": self.version,
            "error": None,
        }


def load_answers(bundle: Path, version: str = "") -> Answers:
    """Load a bundle; without a `version` answers name the one of `version_of`."""
    facts = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    engine = load_engine(bundle, facts["runtime"], facts["image"]["size"])
    decision = load_decision(bundle / "decision")
    return Answers(
        engine,
        facts["classes"],
        facts["image"],
        facts["limits"],
        *decision,
        version or version_of(bundle),
        facts.get("decoding", 1),
        load_heat_mapper(bundle),
    )
