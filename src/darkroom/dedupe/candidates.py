"""Which pictures may look alike: pairs whose hashes differ in few bits, found without comparing all with all."""

import numpy as np

from darkroom.images.thumbnails import HASH_BITS

ORDERS = 40  # random orders of the bits; each one is another chance that a pair sorts side by side
NEIGHBOURS = 8  # compared with in each sorted order
NEAREST = 16  # pairs of one picture, on average, that are followed up: where thousands look alike, the most alike
CHANCE_BITS = 30
ROW_SHIFT = CHANCE_BITS + 7  # a distance has 7 bits; 27 are left for the row
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: D. Knuth, The Art of Computer Programming, 6.4


def find_candidates(hashes: np.ndarray, radius: int) -> np.ndarray:
    """Return pairs (m, 2) int64 of rows of `hashes` (n,) uint64 that differ in at most `radius` bits, sorted.

    Sorted by the bits in some order, pairs that differ in few bits often stand close together. The time grows with
    n log n, whatever the hashes. Not all pairs are found: the more bits differ, the fewer.
    M. S. Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002.
    """
    chance, count = np.random.default_rng(0), len(hashes)
    found = np.empty(0, np.int64)
    for _ in range(ORDERS):
        order = np.argsort(_reorder_bits(hashes, chance.permutation(HASH_BITS)), kind="stable")
        found = _merge(found, _close_neighbours(hashes[order], order, radius))
        if len(found) > NEAREST * count:
            found = _keep_nearest(found, hashes)
    return _as_pairs(found, count)


def _merge(numbers: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return both, sorted, each once. numpy.union1d hashes them, which takes many times as long for millions."""
    both = np.sort(np.concatenate([numbers, more]))
    return np.asarray(both[np.append(True, both[1:] != both[:-1])[: len(both)]])


def _reorder_bits(hashes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the hashes with their bits in another order."""
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, HASH_BITS // 8), axis=1)
    return np.ascontiguousarray(np.packbits(bits[:, order], axis=1)).view(">u8")[:, 0].astype(np.uint64)


def _close_neighbours(ordered: np.ndarray, order: np.ndarray, radius: int) -> np.ndarray:
    """Return a number (lower row * n + higher row) for each pair of near places in the order that is close enough."""
    count, found = len(ordered), []
    for step in range(1, min(NEIGHBOURS, count - 1) + 1):
        close = np.flatnonzero(np.bitwise_count(ordered[step:] ^ ordered[:-step]) <= radius)
        first, second = order[close], order[close + step]
        found.append(np.minimum(first, second) * count + np.maximum(first, second))
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _as_pairs(numbers: np.ndarray, count: int) -> np.ndarray:
    return np.stack(np.divmod(numbers, max(count, 1)), axis=1)


def _keep_nearest(numbers: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Return the pairs that are among the nearest of their lower row, or among the nearest of their higher one; sorted.

    Of equally near ones chance decides: by their order all pictures would keep the same few, and a large set of
    copies would fall apart.
    """
    sides = [numbers // len(hashes), numbers % len(hashes)]
    distance = np.bitwise_count(hashes[sides[0]] ^ hashes[sides[1]]).astype(np.uint64)
    nearness = numbers.astype(np.uint64) * MIX >> np.uint64(64 - CHANCE_BITS)
    nearness |= distance << np.uint64(CHANCE_BITS)
    kept, most = np.zeros(len(numbers), bool), NEAREST // 4
    while sides:
        keys = sides.pop().astype(np.uint64) << np.uint64(ROW_SHIFT) | nearness
        order = np.argsort(keys)
        rows = keys[order] >> np.uint64(ROW_SHIFT)
        kept[order[:most]] = True
        kept[order[most:][rows[most:] != rows[:-most]]] = True
    return numbers[kept]
