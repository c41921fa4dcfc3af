"""How alike two pictures are, told from their thumbnails: in their details, and after aligning one with the other."""

import numpy as np

from darkroom.images.thumbnails import COLOUR_SIDE, LUMA_BYTES, SIDE

PAIRS_AT_ONCE = 1024
STEPS = 2  # of the alignment
LARGEST_MOVE = 0.06  # share of the side, by which a cut-off border shifts or stretches a picture
MARGIN = 2  # pixels of a thumbnail at its border, which an alignment cannot know
NOT_ALIKE = 0.55  # correlation below which no alignment would help
COLOURED = 12.0  # levels: a picture with less colour has none to be compared
OTHER_COLOUR = 24.0  # levels, mean over the picture: the same shape in another colour


def similarity(thumbnails: np.ndarray, pairs: np.ndarray, enough: float) -> np.ndarray:
    """Return for each of `pairs` (m, 2), rows of `thumbnails` (n, THUMBNAIL_BYTES), how alike it is, -1 to 1 float32.

    The correlation of what is finer than an eighth of the picture: compression, size, brightness and contrast change
    it little. Pairs that stay below `enough` are aligned and compared again, because a cut-off border moves all
    details. One shape in two colours is not alike (0).
    """
    parts = [
        _compare(thumbnails[part[:, 0]], thumbnails[part[:, 1]], enough)
        for part in np.array_split(pairs, -(-len(pairs) // PAIRS_AT_ONCE) or 1)
    ]
    return np.concatenate(parts)


def _compare(first: np.ndarray, second: np.ndarray, enough: float) -> np.ndarray:
    lumas = [part[:, :LUMA_BYTES].reshape(-1, SIDE, SIDE).astype(np.float32) for part in (first, second)]
    details = [_details(part) for part in lumas]
    alike = _correlation(*details)
    same_colour = _same_colour(first, second)
    for moved, fixed in ((0, 1), (1, 0)):  # either may be the one that was cut
        open_ = np.flatnonzero(same_colour & (alike < enough) & (_correlation(*map(_halved, lumas)) > NOT_ALIKE))
        move = _align(_halved(lumas[moved][open_]), _halved(lumas[fixed][open_]))
        aligned = _correlation(_details(_warp(lumas[moved][open_], move)), details[fixed][open_])
        alike[open_] = np.maximum(alike[open_], aligned)
    return np.where(same_colour, alike, np.float32(0))


def _same_colour(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return for each pair (m,) whether their colours agree, or one of them has none."""
    colours = [part[:, LUMA_BYTES:].astype(np.float32) - 128 for part in (first, second)]
    coloured = [np.abs(colour).max(axis=1) >= COLOURED for colour in colours]
    apart = np.abs(colours[0] - colours[1]).reshape(len(first), 2, COLOUR_SIDE**2).mean(axis=2).max(axis=1)
    return np.asarray((apart < OTHER_COLOUR) | ~(coloured[0] & coloured[1]))


def _align(moved: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Return shift and stretch in x, then in y (m, 4), shares of the side, that bring `moved` best onto `fixed`."""
    move = np.zeros((len(moved), 4), np.float32)
    best, best_move = _correlation(moved, fixed), move
    for _ in range(STEPS):
        move = np.clip(move + _better_move(_warp(moved, move), fixed), -LARGEST_MOVE, LARGEST_MOVE)
        now = _correlation(_warp(moved, move), fixed)
        best_move = np.where((now > best)[:, None], move, best_move)
        best = np.maximum(now, best)
    return best_move


def _better_move(moved: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Return the move (m, 4) that would bring `moved` onto `fixed` to first order, with a gain and an offset of light.

    B. D. Lucas, T. Kanade, An iterative image registration technique with an application to stereo vision, 1981.
    """
    count, side, _ = moved.shape
    places = _places(side)
    across, down = moved @ _slope(side).T, _slope(side) @ moved
    terms = [across, across * places, down, down * places[:, None], moved, np.ones_like(moved)]
    design = np.stack(terms, axis=1).reshape(count, len(terms), side * side)
    target = design @ fixed.reshape(count, side * side, 1)
    normal = design @ design.transpose(0, 2, 1) + np.eye(len(terms), dtype=np.float32) * 0.01  # for plain pictures
    solved = np.linalg.solve(normal, target)[:, :, 0]
    return solved[:, :4] / np.maximum(solved[:, 4:5], 0.3)


def _warp(pictures: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Return the pictures (m, side, side) shifted and stretched, by linear interpolation along each side."""
    side = pictures.shape[1]
    return np.asarray(_weights(side, move[:, 2:]) @ pictures @ _weights(side, move[:, :2]).transpose(0, 2, 1))


def _weights(side: int, move: np.ndarray) -> np.ndarray:
    """Return (m, side, side): what each old place gives to each new one, for shift and stretch (m, 2)."""
    places = (_places(side) * (1 + move[:, 1:]) + move[:, :1] + 0.5) * side - 0.5
    distance = np.abs(places.clip(0, side - 1)[:, :, None] - np.arange(side, dtype=np.float32))
    return np.asarray(np.maximum(1 - distance, 0))


def _places(side: int) -> np.ndarray:
    """Return where the middles of pixels are, in shares of the side, from the middle of the picture."""
    return ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)


def _slope(side: int) -> np.ndarray:
    """Return (side, side): the change for the whole side, from the neighbours of each place."""
    return np.asarray(np.gradient(np.eye(side), axis=0), np.float32) * side


def _halved(pictures: np.ndarray) -> np.ndarray:
    """Return the pictures (m, 32, 32) smoothed and at half their size."""
    half = _SMOOTHED.reshape(SIDE // 2, 2, SIDE).mean(axis=1)
    return np.asarray(half @ pictures @ half.T)


def _details(pictures: np.ndarray) -> np.ndarray:
    """Return what is finer than an eighth of the pictures, without the finest noise and without their borders."""
    inside = slice(MARGIN, -MARGIN)
    return np.asarray((_FINE @ pictures @ _FINE.T - _COARSE @ pictures @ _COARSE.T)[:, inside, inside])


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the correlation (m,) of pictures; 0 for plain ones."""
    flat = [part.reshape(len(part), part.shape[1] * part.shape[2]) for part in (first, second)]
    flat = [part - part.mean(axis=1, keepdims=True) for part in flat]
    lengths = [np.einsum("ij,ij->i", part, part) for part in flat]
    return np.asarray(np.einsum("ij,ij->i", *flat) / np.sqrt(lengths[0] * lengths[1] + 1))


def _smoothing() -> np.ndarray:
    """Return (32, 32): each place averaged with its neighbours by 1-2-1; a border's missing neighbour is itself."""
    steps = np.eye(SIDE) * 2 + np.eye(SIDE, k=1) + np.eye(SIDE, k=-1)
    steps[0, 0] = steps[-1, -1] = 3
    return steps / 4


_SMOOTHED = _smoothing().astype(np.float32)
_FINE = np.linalg.matrix_power(_smoothing(), 2).astype(np.float32)
_COARSE = np.linalg.matrix_power(_smoothing(), 7).astype(np.float32)
