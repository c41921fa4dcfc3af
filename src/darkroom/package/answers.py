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
from darkroom.package.requests import limit_errors, picture_bytes

COLUMNS = ("label", "score", "probabilities", "set", "abstains", "ood_score", "unfamiliar", "error")
PIXELS_AT_ONCE = 2**19  # of what the network sees: bounds the memory of its activations
ROWS_AT_ONCE = 256

Answer = dict[str, Any]  # a value for each of COLUMNS


@dataclass(frozen=True)
class Answers:
    """Answers requests with an engine, as bundle.json says: classes in order, decoding, limits of a request.

    `rule` calibrates the probabilities and gives the sets, `familiarity` tells pictures unlike those of the training.
    """

    engine: Engine
    classes: list[str]
    image: dict[str, Any]
    limits: dict[str, int]
    rule: Rule
    familiarity: Familiarity

    def __call__(self, values: Sequence[object]) -> list[Answer]:
        """Return a value for each of COLUMNS for each value, a picture in base64; a class's share in `probabilities`.

        One that cannot be answered has only an error. One picture at a time is decoded at its full size.
        """
        errors = limit_errors(values, self.limits["rows"], self.limits["bytes"])
        answers: list[Answer] = []
        for start in range(0, len(values), self.at_once):
            rows = slice(start, start + self.at_once)
            answers += self._batch(values[rows], errors[rows])
        return answers

    @property
    def at_once(self) -> int:
        """How many pictures the network sees at once."""
        return max(1, min(ROWS_AT_ONCE, PIXELS_AT_ONCE // int(self.image["size"]) ** 2))

    def decode(self, data: bytes) -> np.ndarray:
        """Return the pixels (size, size, 3) uint8 of a picture's bytes; raises ValueError with the reason."""
        return decode(data, **self.image, max_pixels=self.limits["pixels"])

    def answer_pixels(self, pixels: np.ndarray) -> list[Answer]:
        """Return the answers on decoded pictures (n, size, size, 3) uint8."""
        probabilities, features = self.engine(pixels)
        shares = self.rule.calibrate(probabilities)
        rows = zip(shares, self.rule.sets(shares), self.familiarity.score(features), strict=True)
        return [self._describe(*row) for row in rows]

    def _batch(self, values: Sequence[object], errors: list[str | None]) -> list[Answer]:
        answers: list[Answer] = [{} for _ in values]
        pixels, places = [], []
        for place, (value, error) in enumerate(zip(values, errors, strict=True)):
            try:
                if error:
                    raise ValueError(error)
                pixels.append(self.decode(picture_bytes(value)))
                places.append(place)
            except (ValueError, MemoryError) as problem:
                answers[place] = {**dict.fromkeys(COLUMNS), "error": str(problem) or "too large for the memory left"}
        for place, answer in zip(places, self.answer_pixels(np.stack(pixels)) if pixels else [], strict=True):
            answers[place] = answer
        return answers

    def _describe(self, shares: np.ndarray, members: np.ndarray, unfamiliar: np.floating) -> Answer:
        """Return an answer; it abstains unless the set names one class and the picture looks like those of training."""
        best = int(shares.argmax())
        unlike = bool(unfamiliar > 1)
        return {
            "label": self.classes[best],
            "score": float(shares[best]),
            "probabilities": {name: float(share) for name, share in zip(self.classes, shares, strict=True)},
            "set": [self.classes[place] for place in np.flatnonzero(members)],
            "abstains": bool(members.sum() != 1 or unlike),
            "ood_score": float(unfamiliar),
            "unfamiliar": unlike,
            "error": None,
        }


def load_answers(bundle: Path, version: str = "") -> Answers:
    """Load network, bundle.json and decision of a bundle; without a `version` answers name the one of `version_of`."""
    facts = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    engine = load_engine(bundle, facts["runtime"], facts["image"]["size"])
    decision = load_decision(bundle / "decision")
    return Answers(engine, facts["classes"], facts["image"], facts["limits"], *decision)
