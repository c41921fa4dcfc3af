"""Similarity of two pictures by their thumbnails: correlation of details, also after aligning one with the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from darkroom.images.thumbnails import COLOUR_SIDE, LUMA_BYTES, SIDE

BATCH_PAIRS = 1024
ALIGNMENT_STEPS = 2
MAX_MOVE = 0.06  # share of the side by which a cropped border shifts or stretches a picture
MARGIN = 2  # pixels at the border of a thumbnail that are undefined after an alignment
MIN_TO_ALIGN = 0.55  # correlation below which no alignment would help
MIN_COLOUR = 12.0  # levels of chroma; a picture with less counts as greyscale, without colours to compare
MAX_COLOUR_DIFFERENCE = 24.0  # levels of chroma, mean over the picture; above, the same shape has another colour

DOUBT = 0.01  # from the threshold; of 300,000 pairs the similarity in float32 is at most 0.002 from that in float64
DECIMALS = 6

Floats = NDArray[np.floating[Any]]


def similarity(thumbnails: NDArray[np.uint8], pairs: NDArray[np.int64], threshold: float) -> NDArray[np.float32]:
    """Return the similarity, -1 to 1 (m,) float32, of `pairs` (m, 2), rows of `thumbnails` (n, THUMBNAIL_BYTES) uint8.

    It is the correlation of details finer than an eighth of the picture; compression, size, brightness and contrast
    hardly change it. Pairs below `threshold` are aligned and compared again, because cropping a border moves all
    details. The same shape in different colours has similarity 0.

    Processors differ in the last bits of float32. So that they agree which pairs reach `threshold`, those near it are
    compared again in float64 and rounded.
    """
    scores = _compare_all(thumbnails, pairs, threshold, np.float32)
    doubtful = np.flatnonzero(np.abs(scores - threshold) < DOUBT)
    scores[doubtful] = _compare_all(thumbnails, pairs[doubtful], threshold, np.float64).round(DECIMALS)
    return np.asarray(scores, np.float32)


def _compare_all(thumbnails: NDArray[np.uint8], pairs: NDArray[np.int64], threshold: float, kind: type) -> Floats:
    """Return the similarity (m,) of pairs, calculated in floats of this kind."""
    parts = [
        _compare(thumbnails[part[:, 0]], thumbnails[part[:, 1]], threshold, kind)
        for part in np.array_split(pairs, -(-len(pairs) // BATCH_PAIRS) or 1)
    ]
    return np.concatenate(parts)


def _compare(one: NDArray[np.uint8], other: NDArray[np.uint8], threshold: float, kind: type) -> Floats:
    lumas: list[Floats] = [part[:, :LUMA_BYTES].reshape(-1, SIDE, SIDE).astype(kind) for part in (one, other)]
    details = [_details(part) for part in lumas]
    score = _correlation(*details)
    same_colour = _same_colour(one, other)
    alignable = same_colour & (_exact_correlation(*map(_halved, lumas)) > MIN_TO_ALIGN)
    for moved, fixed in ((0, 1), (1, 0)):  # either may be the cropped one
        retry = np.flatnonzero(alignable & (score < threshold))
        move = _align(_halved(lumas[moved][retry]), _halved(lumas[fixed][retry]))
        aligned = _correlation(_details(_warp(lumas[moved][retry], move)), details[fixed][retry])
        score[retry] = np.maximum(score[retry], aligned)
    return np.where(same_colour, score, 0)


def _same_colour(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return, for each pair (m,), whether the colours agree or one of the pictures is greyscale."""
    colours = [part[:, LUMA_BYTES:].astype(np.float32) - 128 for part in (one, other)]
    coloured = [np.abs(colour).max(axis=1) >= MIN_COLOUR for colour in colours]
    difference = np.abs(colours[0] - colours[1]).reshape(len(one), 2, COLOUR_SIDE**2).mean(axis=2).max(axis=1)
    agrees: NDArray[np.bool_] = (difference < MAX_COLOUR_DIFFERENCE) | ~(coloured[0] & coloured[1])
    return agrees


def _align(moved: Floats, fixed: Floats) -> Floats:
    """Return shift and stretch in x, then in y (m, 4), shares of the side, that align `moved` best with `fixed`."""
    move: Floats = np.zeros((len(moved), 4), moved.dtype)
    best, best_move = _correlation(moved, fixed), move
    for _ in range(ALIGNMENT_STEPS):
        move = np.clip(move + _estimate_move(_warp(moved, move), fixed), -MAX_MOVE, MAX_MOVE)
        score = _correlation(_warp(moved, move), fixed)
        best_move = np.where((score > best)[:, None], move, best_move)
        best = np.maximum(score, best)
    return best_move


def _estimate_move(moved: Floats, fixed: Floats) -> Floats:
    """Return the move (m, 4) that aligns `moved` with `fixed` to first order, up to brightness and contrast.

    B. D. Lucas, T. Kanade, An iterative image registration technique with an application to stereo vision, 1981.
    """
    count, side, _ = moved.shape
    positions = _positions(side)
    across, down = moved @ _slope(side).T, _slope(side) @ moved
    terms = [across, across * positions, down, down * positions[:, None], moved, np.ones_like(moved)]
    design = np.stack(terms, axis=1).reshape(count, len(terms), side * side)
    target = design @ fixed.reshape(count, side * side, 1)
    normal = (
        design @ design.transpose(0, 2, 1) + np.eye(len(terms), dtype=np.float32) * 0.01
    )  # regular even for uniform pictures
    solution = np.linalg.solve(normal, target)[:, :, 0]
    return np.asarray(solution[:, :4] / np.maximum(solution[:, 4:5], 0.3))


def _warp(pictures: Floats, move: Floats) -> Floats:
    """Return the pictures (m, side, side) shifted and stretched, by linear interpolation along each side."""
    side = pictures.shape[1]
    warped = _weights(side, move[:, 2:]) @ pictures @ _weights(side, move[:, :2]).transpose(0, 2, 1)
    return np.asarray(warped)


def _weights(side: int, move: Floats) -> Floats:
    """Return the interpolation weights (m, side, side), new by old pixel, for shift and stretch (m, 2)."""
    positions = (_positions(side) * (1 + move[:, 1:]) + move[:, :1] + 0.5) * side - 0.5
    distance = np.abs(positions.clip(0, side - 1)[:, :, None] - np.arange(side, dtype=np.float32))
    weights: Floats = np.maximum(1 - distance, 0)
    return weights


def _positions(side: int) -> Floats:
    """Return the pixel centres in shares of the side, measured from the centre of the picture."""
    return ((np.arange(side) + 0.5) / side - 0.5).astype(np.float32)


def _slope(side: int) -> Floats:
    """Return the gradient matrix (side, side): change per whole side, from the neighbours of each pixel."""
    return np.asarray(np.gradient(np.eye(side), axis=0), np.float32) * side


def _halved(pictures: Floats) -> Floats:
    """Return the pictures (m, 32, 32) smoothed and halved in size."""
    half = _SMOOTHED.reshape(SIDE // 2, 2, SIDE).mean(axis=1)
    halved: Floats = half @ pictures @ half.T
    return halved


def _details(pictures: Floats) -> Floats:
    """Return the band between the finest noise and an eighth of the side, without the borders."""
    inside = slice(MARGIN, -MARGIN)
    band = _FINE @ pictures @ _FINE.T - _COARSE @ pictures @ _COARSE.T
    return np.asarray(band[:, inside, inside])


def _correlation(one: Floats, other: Floats) -> Floats:
    """Return the correlation (m,) of pictures; 0 for uniform ones."""
    flat = [part.reshape(len(part), part.shape[1] * part.shape[2]) for part in (one, other)]
    flat = [part - part.mean(axis=1, keepdims=True) for part in flat]
    squares = [np.einsum("ij,ij->i", part, part) for part in flat]
    correlation: Floats = np.einsum("ij,ij->i", *flat) / np.sqrt(squares[0] * squares[1] + 1)
    return correlation


def _exact_correlation(one: Floats, other: Floats) -> NDArray[np.float64]:
    """Return the correlation (m,) of halved pictures, the same on every processor.

    They are multiples of 1/64 below 256 and have 2^8 pixels: all sums are exact in float64.
    """
    pixels = one.shape[1] * one.shape[2]
    flat = [part.reshape(len(part), pixels).astype(np.float64) for part in (one, other)]
    means = [part.mean(axis=1) for part in flat]
    squares = [np.einsum("ij,ij->i", part, part) - pixels * mean**2 for part, mean in zip(flat, means, strict=True)]
    covariance = np.einsum("ij,ij->i", *flat) - pixels * means[0] * means[1]
    return np.asarray(covariance / np.sqrt(squares[0] * squares[1] + 1), np.float64)


def _smoothing() -> NDArray[np.float64]:
    """Return the smoothing matrix (32, 32) with the kernel 1-2-1; border pixels are repeated."""
    steps = np.eye(SIDE) * 2 + np.eye(SIDE, k=1) + np.eye(SIDE, k=-1)
    steps[0, 0] = steps[-1, -1] = 3
    matrix: NDArray[np.float64] = steps / 4
    return matrix


_SMOOTHED = _smoothing().astype(np.float32)
_FINE = np.linalg.matrix_power(_smoothing(), 2).astype(np.float32)
_COARSE = np.linalg.matrix_power(_smoothing(), 7).astype(np.float32)
