"""Pictures made worse on purpose: noise, blur, weather, faults of digital processing, each in five severities.

The kinds are those of ImageNet-C but for frost, which needs photographs of frost: D. Hendrycks, T. Dietterich,
Benchmarking neural network robustness to common corruptions and perturbations, 2019 (arXiv:1903.12261). Strengths are
those that the authors published for ImageNet-C (224 pixels) and CIFAR-10-C (32 pixels), evened out where they do not
grow with the severity; accuracies are near those of the data sets that they offer, and not equal to them.
"""

from collections.abc import Callable
from zlib import crc32

import numpy as np

from darkroom.corruption import blurs, digital_faults, noise_and_weather
from darkroom.params.evaluation import Corruption

SEVERITIES = (1, 2, 3, 4, 5)

# a picture (side, side, 3) uint8, the severity, the source of chance -> (side, side, 3) uint8, or float32 of 0-255
Corrupt = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]

KINDS: dict[Corruption, Corrupt] = {
    "gaussian_noise": noise_and_weather.gaussian_noise,
    "shot_noise": noise_and_weather.shot_noise,
    "impulse_noise": noise_and_weather.impulse_noise,
    "defocus_blur": blurs.defocus_blur,
    "glass_blur": blurs.glass_blur,
    "motion_blur": blurs.motion_blur,
    "zoom_blur": blurs.zoom_blur,
    "snow": noise_and_weather.snow,
    "fog": noise_and_weather.fog,
    "brightness": noise_and_weather.brightness,
    "contrast": digital_faults.contrast,
    "elastic": digital_faults.elastic,
    "pixelate": digital_faults.pixelate,
    "jpeg": digital_faults.jpeg,
}


def corrupt(pixels: np.ndarray, kind: Corruption, severity: int, rows: np.ndarray) -> np.ndarray:
    """Return pictures (n, side, side, 3) uint8 corrupted, the same shape and dtype; `severity` is 1 to 5.

    `rows` (n,) int64, at least 0, seeds the chance of each picture, together with the kind: batches change nothing.
    The severities of a kind share it, so that they differ in strength alone.
    """
    change = KINDS[kind]
    result = np.empty_like(pixels)
    for place, row in enumerate(rows):
        changed = change(pixels[place], severity, _chance(kind, int(row)))
        result[place] = changed if changed.dtype == np.uint8 else np.rint(changed.clip(0, 255))
    return result


def _chance(kind: Corruption, row: int) -> np.random.Generator:
    """Return the source of chance of one picture; Philox takes a key as it is, which is quicker than seeding."""
    return np.random.Generator(np.random.Philox(key=np.array([crc32(kind.encode()), row], np.uint64)))
