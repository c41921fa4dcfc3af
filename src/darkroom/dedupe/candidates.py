"""Candidates for near duplicates: pairs whose hashes differ in few bits, found without comparing all pairs."""

import numpy as np

from darkroom.images.thumbnails import HASH_BITS

ORDERS = 40  # random bit orders; each is another chance that the two hashes of a pair are sorted next to each other
NEIGHBOURS = 8  # of each hash in a sorted order, that it is compared with
NEAREST = 16  # pairs per picture, on average, that are kept: the nearest, where thousands look alike
RANDOM_BITS = 30
ROW_SHIFT = RANDOM_BITS + 7  # a distance has 7 bits; 27 are left for the row
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: D. Knuth, The Art of Computer Programming, 6.4


def find_candidates(hashes: np.ndarray, radius: int) -> np.ndarray:
    """Return pairs (m, 2) int64 of rows of `hashes` (n,) uint64 that differ in at most `radius` bits, sorted.

    Hashes that differ in few bits are often close to each other when sorted by a random order of their bits. Takes
    O(n log n) time for any hashes. Not all pairs are found: the more bits differ, the fewer.
    M. S. Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002.
    """
    rng, count = np.random.default_rng(0), len(hashes)
    found = np.empty(0, np.int64)
    for _ in range(ORDERS):
        order = np.argsort(_reorder_bits(hashes, rng.permutation(HASH_BITS)), kind="stable")
        found = _merge(found, _close_neighbours(hashes[order], order, radius))
        if len(found) > NEAREST * count:
            found = _keep_nearest(found, hashes)
    return _as_pairs(found, count)


def _merge(numbers: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Return the sorted union. numpy.union1d hashes the numbers, which is many times slower for millions."""
    both: np.ndarray = np.sort(np.concatenate([numbers, more]))
    unique: np.ndarray = both[np.append(True, both[1:] != both[:-1])[: len(both)]]
    return unique


def _reorder_bits(hashes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the hashes with their bits in another order."""
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, HASH_BITS // 8), axis=1)
    packed = np.ascontiguousarray(np.packbits(bits[:, order], axis=1))
    return np.asarray(packed.view(">u8")[:, 0], np.uint64)


def _close_neighbours(ordered: np.ndarray, order: np.ndarray, radius: int) -> np.ndarray:
    """Return a number (lower row * n + higher row) for each pair of neighbours within `radius` bits."""
    count, found = len(ordered), []
    for step in range(1, min(NEIGHBOURS, count - 1) + 1):
        close = np.flatnonzero(np.bitwise_count(ordered[step:] ^ ordered[:-step]) <= radius)
        one, other = order[close], order[close + step]
        found.append(np.minimum(one, other) * count + np.maximum(one, other))
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _as_pairs(numbers: np.ndarray, count: int) -> np.ndarray:
    return np.stack(np.divmod(numbers, max(count, 1)), axis=1)


def _keep_nearest(numbers: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Return, sorted, the pairs that are among the nearest of their lower row or of their higher row.

    Ties are broken at random: by row number, all pictures would keep the same few neighbours, and a large set of
    copies would fall into parts.
    """
    ends = [numbers // len(hashes), numbers % len(hashes)]
    distance = np.bitwise_count(hashes[ends[0]] ^ hashes[ends[1]]).astype(np.uint64)
    nearness = numbers.astype(np.uint64) * MIX >> np.uint64(64 - RANDOM_BITS)
    nearness |= distance << np.uint64(RANDOM_BITS)
    kept, most = np.zeros(len(numbers), bool), NEAREST // 4
    while ends:
        keys = ends.pop().astype(np.uint64) << np.uint64(ROW_SHIFT) | nearness
        order = np.argsort(keys)
        rows = keys[order] >> np.uint64(ROW_SHIFT)
        kept[order[:most]] = True
        kept[order[most:][rows[most:] != rows[:-most]]] = True
    return numbers[kept]
