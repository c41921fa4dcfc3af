"""Answers with the mean colours of a picture in place of a network: its classes are red, green and blue."""

import base64

import numpy as np
from PIL import Image

from darkroom.decision.familiarity import Familiarity
from darkroom.decision.rule import Rule
from darkroom.package.answers import Answers
from defaults import default_params
from pictures import encode

LIMITS = {"rows": 1000, "bytes": 10**7, "picture_bytes": 10**6, "pixels": 10_000}
RED = base64.b64encode(encode(Image.new("RGB", (8, 8), "red"))).decode()
BLUE = base64.b64encode(encode(Image.new("RGB", (8, 8), "blue"), "JPEG")).decode()


RULE = Rule(temperature=1.0, level=0.9, threshold=0.4, thresholds=((0.8, 0.3), (0.95, 0.2)))
COLOURFUL = Familiarity(np.eye(3, dtype=np.float32), 1, 0.5)  # pictures of one of the three colours


def means(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shares: np.ndarray = pixels.reshape(len(pixels), -1, 3).mean(axis=1) / 255
    return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9), shares


def answers(size: int = 8, **limits: int) -> Answers:
    image = default_params().image.model_copy(update={"size": size})
    names = ["red", "green", "blue"]
    return Answers(means, names, image.model_dump(), {**LIMITS, **limits}, RULE, COLOURFUL)
