"""The answers of a served model: decoding, the network, and a label for each row of a request."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.decision.saving import load_decision
from darkroom.images.decode import decode
from darkroom.package.engine import Engine, load_engine
from darkroom.package.options import DEFAULT, Options
from darkroom.package.requests import limit_errors, picture_bytes
from darkroom.package.version import version_of

COLUMNS = ("label", "score", "probabilities", "set", "abstains", "ood_score", "unfamiliar", "version", "error")
HEAT_MAP = "heat_map"  # one more when a request asks for explanations
PIXELS_AT_ONCE = 2**19  # of what the network sees: bounds the memory of its activations
ROWS_AT_ONCE = 256

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

    def __call__(self, values: Sequence[object], options: Options = DEFAULT) -> list[Answer]:
        """Return the answer on each value, a picture as bytes or base64: a class's share in `probabilities`, and so on.

        One that cannot be answered has only an error and the version. One picture at a time is decoded at its full
        size.
        """
        return [detailed.answer for detailed in self.detailed(values, options)]

    def detailed(self, values: Sequence[object], options: Options = DEFAULT) -> list[Detailed]:
        """Return the answer on each value, as a call does, and its features."""
        errors = limit_errors(values, self.limits["rows"], self.limits["bytes"])
        answers: list[Detailed] = []
        for start in range(0, len(values), self.at_once):
            rows = slice(start, start + self.at_once)
            answers += self._batch(values[rows], errors[rows], options)
        return answers

    @property
    def at_once(self) -> int:
        """How many pictures the network sees at once."""
        return max(1, min(ROWS_AT_ONCE, PIXELS_AT_ONCE // int(self.image["size"]) ** 2))

    def decode(self, data: bytes) -> np.ndarray:
        """Return the pixels (size, size, 3) uint8 of a picture's bytes; raises ValueError with the reason."""
        return decode(data, **self.image, max_pixels=self.limits["pixels"])

    def answer_pixels(self, pixels: np.ndarray, options: Options = DEFAULT) -> list[Answer]:
        """Return the answers on decoded pictures (n, size, size, 3) uint8."""
        return [detailed.answer for detailed in self._detailed_pixels(pixels, options)]

    def _detailed_pixels(self, pixels: np.ndarray, options: Options) -> list[Detailed]:
        probabilities, features = self.engine(pixels)
        rule = self.rule if options.coverage is None else self.rule.at(options.coverage)
        shares = rule.calibrate(probabilities)
        rows = zip(shares, rule.sets(shares), self.familiarity.score(features), strict=True)
        answers = [self._describe(*row, options) for row in rows]
        return [Detailed(*pair) for pair in zip(answers, features, strict=True)]

    def _batch(self, values: Sequence[object], errors: list[str | None], options: Options) -> list[Detailed]:
        answers: list[Detailed] = []
        pixels, places = [], []
        for place, (value, error) in enumerate(zip(values, errors, strict=True)):
            problem = error
            try:
                if not error:
                    pixels.append(self.decode(picture_bytes(value)))
                    places.append(place)
            except (ValueError, MemoryError) as failure:
                problem = str(failure) or "too large for the memory left"
            answers.append(Detailed({**dict.fromkeys(COLUMNS), "version": self.version, "error": problem}, None))
        found = self._detailed_pixels(np.stack(pixels), options) if pixels else []
        for place, answer in zip(places, found, strict=True):
            answers[place] = answer
        return answers

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
    """Load network, bundle.json and decision of a bundle; without a `version` answers name the one of `version_of`."""
    facts = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    engine = load_engine(bundle, facts["runtime"], facts["image"]["size"])
    decision = load_decision(bundle / "decision")
    return Answers(engine, facts["classes"], facts["image"], facts["limits"], *decision, version or version_of(bundle))
