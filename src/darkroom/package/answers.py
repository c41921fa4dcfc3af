"""The answers of a served model: decoding, the network, and a label for each row of a request."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from darkroom.images.decode import decode
from darkroom.package.engine import Engine, load_engine
from darkroom.package.requests import limit_errors, picture_bytes

COLUMNS = ("label", "score", "probabilities", "error")
PIXELS_AT_ONCE = 2**19  # of what the network sees: bounds the memory of its activations
ROWS_AT_ONCE = 256

Answer = dict[str, Any]  # a value for each of COLUMNS


@dataclass(frozen=True)
class Answers:
    """Answers requests with an engine, as bundle.json says: classes in order, decoding, limits of a request."""

    engine: Engine
    classes: list[str]
    image: dict[str, Any]
    limits: dict[str, int]

    def __call__(self, values: Sequence[object]) -> list[Answer]:
        """Return label, score, probabilities {class: share} and error for each value, a picture in base64.

        One that cannot be answered has only an error. One picture at a time is decoded at its full size.
        """
        errors = limit_errors(values, self.limits["rows"], self.limits["bytes"])
        at_once = max(1, min(ROWS_AT_ONCE, PIXELS_AT_ONCE // self.image["size"] ** 2))
        answers: list[Answer] = []
        for start in range(0, len(values), at_once):
            rows = slice(start, start + at_once)
            answers += self._batch(values[rows], errors[rows])
        return answers

    def _batch(self, values: Sequence[object], errors: list[str | None]) -> list[Answer]:
        answers: list[Answer] = [{} for _ in values]
        pixels, places = [], []
        for place, (value, error) in enumerate(zip(values, errors, strict=True)):
            try:
                if error:
                    raise ValueError(error)
                pixels.append(self._decode(value))
                places.append(place)
            except (ValueError, MemoryError) as problem:
                answers[place] = {**dict.fromkeys(COLUMNS), "error": str(problem) or "too large for the memory left"}
        if pixels:
            for place, row in zip(places, self.engine(np.stack(pixels)), strict=True):
                answers[place] = self._describe(row)
        return answers

    def _decode(self, value: object) -> np.ndarray:
        return decode(picture_bytes(value), **self.image, max_pixels=self.limits["pixels"])

    def _describe(self, row: np.ndarray) -> Answer:
        best = int(row.argmax())
        probabilities = {name: float(share) for name, share in zip(self.classes, row, strict=True)}
        return {"label": self.classes[best], "score": float(row[best]), "probabilities": probabilities, "error": None}


def load_answers(bundle: Path) -> Answers:
    """Load network and bundle.json of a bundle."""
    facts = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    engine = load_engine(bundle, facts["image"]["size"])
    return Answers(engine, facts["classes"], facts["image"], facts["limits"])
