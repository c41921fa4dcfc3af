"""RandAugment: a few operations for each picture, drawn from a list, all of one magnitude.

E. D. Cubuk et al., RandAugment: Practical automated data augmentation with a reduced search space, NeurIPS 2020.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from darkroom.augmentation.geometry import moving, shearing, turning
from darkroom.augmentation.light import change_contrast

if TYPE_CHECKING:
    from darkroom.params.model import Augment

LARGEST = 10.0  # magnitude
VALUES = np.arange(256.0)  # of a pixel
GREY = np.array([0.299, 0.587, 0.114])  # shares of red, green and blue: ITU-R BT.601
Change = Callable[[list[np.ndarray], np.ndarray], None]  # pictures (side, side, 3) uint8, strengths (n,) -1 to 1


def rand_augment(params: "Augment", pixels: np.ndarray, moves: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Change the pictures in light and colour, in place; return their matrices (n, 3, 3) with further moves."""
    count, side = len(pixels), pixels.shape[1]
    moves = moves.copy()
    for _ in range(params.rand_augment):
        drawn = chance.integers(len(MOVES) + len(CHANGES) + 1, size=count)  # the last one leaves the picture
        strength = params.magnitude / LARGEST * chance.choice([-1.0, 1.0], count)
        for number, move in enumerate(MOVES):
            chosen = np.flatnonzero(drawn == number)
            moves[chosen] = moves[chosen] @ move(strength[chosen], side)
        for number, change in enumerate(CHANGES, start=len(MOVES)):
            chosen = np.flatnonzero(drawn == number)
            if len(chosen):
                change([pixels[place] for place in chosen.tolist()], strength[chosen])
    return moves


MOVES: tuple[Callable[[np.ndarray, int], np.ndarray], ...] = (
    lambda strength, side: turning(np.radians(30 * strength)),  # noqa: ARG005
    lambda strength, side: shearing(0.3 * strength, 0),  # noqa: ARG005
    lambda strength, side: shearing(0, 0.3 * strength),  # noqa: ARG005
    lambda strength, side: moving(np.rint(0.3 * strength * side), 0 * strength),
    lambda strength, side: moving(0 * strength, np.rint(0.3 * strength * side)),
)


def _brightness(pictures: list[np.ndarray], strength: np.ndarray) -> None:
    import cv2

    for picture, factor in zip(pictures, (1 + 0.9 * strength).tolist(), strict=True):
        cv2.addWeighted(picture, factor, picture, 0, 0, dst=picture)


def _contrast(pictures: list[np.ndarray], strength: np.ndarray) -> None:
    change_contrast(pictures, 1 + 0.9 * strength, 0 * strength)


def _colour(pictures: list[np.ndarray], strength: np.ndarray) -> None:
    import cv2

    more = 0.9 * strength[:, None, None]
    for picture, colours in zip(pictures, (1 + more) * np.eye(3) - more * GREY, strict=True):
        cv2.transform(picture, colours, dst=picture)


def _sharpness(pictures: list[np.ndarray], strength: np.ndarray) -> None:
    import cv2

    for picture, more in zip(pictures, (0.9 * strength).tolist(), strict=True):
        blurred = cv2.blur(picture, (3, 3), borderType=cv2.BORDER_REPLICATE)
        cv2.addWeighted(picture, 1 + more, blurred, -more, 0, dst=picture)


def _solarise(pictures: list[np.ndarray], strength: np.ndarray) -> None:
    limits = 256 * (1 - np.abs(strength))[:, None]
    _look_up(pictures, np.where(limits > VALUES, VALUES, 255 - VALUES))


def _posterise(pictures: list[np.ndarray], strength: np.ndarray) -> None:
    step = 2 ** np.rint(4 * np.abs(strength))[:, None]
    _look_up(pictures, np.floor(VALUES / step) * step)


def _stretch(pictures: list[np.ndarray], strength: np.ndarray) -> None:  # noqa: ARG001
    """Use the whole range of each colour (autocontrast)."""
    used = _counts(pictures) > 0
    low, high = used.argmax(axis=2)[..., None], 255 - used[..., ::-1].argmax(axis=2)[..., None]
    _look_up(pictures, np.where(high > low, (VALUES - low) * 255 / np.maximum(high - low, 1), VALUES))


def _equalise(pictures: list[np.ndarray], strength: np.ndarray) -> None:  # noqa: ARG001
    """Spread each colour's values evenly over the range, by their ranks."""
    ranks = np.cumsum(_counts(pictures), axis=2)
    _look_up(pictures, ranks * 255 / ranks[..., -1:])


def _counts(pictures: list[np.ndarray]) -> np.ndarray:
    """Return how many pixels have each value (n, 3, 256)."""
    import cv2

    counts = [cv2.calcHist([picture], [colour], None, [256], [0, 256]) for picture in pictures for colour in range(3)]
    return np.reshape(np.array(counts, float), (-1, 3, 256))


def _look_up(pictures: list[np.ndarray], tables: np.ndarray) -> None:
    """Replace each value by that of its picture's table (n, 256), or of its colour's (n, 3, 256)."""
    import cv2

    rounded = np.clip(np.rint(tables), 0, 255).astype(np.uint8).reshape(len(tables), -1, 256).transpose(0, 2, 1)
    for picture, table in zip(pictures, rounded[:, :, None].copy(), strict=True):
        cv2.LUT(picture, table, dst=picture)


CHANGES: tuple[Change, ...] = (
    _brightness,
    _contrast,
    _colour,
    _sharpness,
    _solarise,
    _posterise,
    _stretch,
    _equalise,
)
