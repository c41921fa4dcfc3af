"""The reference of augmentation: albumentations on drawn pictures. Runs in an environment that has it.

python benchmarks/augmentation_peer.py    reads lines "SIDE MORE" (0 or 1), prints the CPU time of one picture, µs
"""

import sys
import time
from typing import Any

import numpy as np

BYTES = 2_000_000


def drawn_pictures(side: int) -> np.ndarray:
    """Return smooth coloured pictures (n, side, side, 3) uint8, a multiple of 32."""
    import cv2

    chance, count = np.random.default_rng(0), 32 * max(BYTES // (32 * side * side * 3), 1)
    noise = chance.integers(0, 256, (count, 8, 8, 3), np.uint8)
    return np.stack([cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC) for picture in noise])


def steps(side: int, more: bool) -> Any:
    """Return what augmentation.py asks for."""
    import albumentations as album
    import cv2

    edge = {"border_mode": cv2.BORDER_REPLICATE, "p": 1}
    plain = [
        album.HorizontalFlip(p=0.5),
        album.Affine(scale=(0.9, 1.1), translate_percent=(-0.05, 0.05), rotate=(-15, 15), **edge),
        album.RandomBrightnessContrast(0.2, 0.2, p=1),
    ]
    if not more:
        return album.Compose(plain)
    moves = [album.Affine(rotate=(-15, 15), **edge), album.Affine(shear={"x": (-9, 9)}, **edge)]
    moves += [
        album.Affine(shear={"y": (-9, 9)}, **edge),
        album.Affine(translate_px={"x": (-side // 7, side // 7)}, **edge),
    ]
    moves += [album.Affine(translate_px={"y": (-side // 7, side // 7)}, **edge), album.NoOp(p=1)]
    light = [album.RandomBrightnessContrast(0.45, 0, p=1), album.RandomBrightnessContrast(0, 0.45, p=1)]
    light += [album.ColorJitter(0, 0, (0.55, 1.45), 0, p=1), album.Sharpen(kernel_size=3, p=1), album.Solarize(p=1)]
    light += [album.Posterize(num_bits=6, p=1), album.AutoContrast(p=1), album.Equalize(p=1)]
    return album.Compose([album.SomeOf(moves + light, n=2, replace=True), *plain, album.Erasing(fill="random", p=0.25)])


def main() -> None:
    import cv2

    cv2.setNumThreads(1)
    for line in sys.stdin:
        side, more = map(int, line.split())
        pixels, vary = drawn_pictures(side), steps(side, bool(more))
        begun = time.process_time()
        np.stack([vary(image=picture)["image"] for picture in pixels])
        print((time.process_time() - begun) / len(pixels) * 1e6, flush=True)


if __name__ == "__main__":
    main()
