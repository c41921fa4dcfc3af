"""Candidates for near duplicates: pairs whose hashes differ in few bits, found without comparing all pairs."""

import numpy as np

from darkroom.core.errors import UserError
from darkroom.images.thumbnails import HASH_BITS

ORDERS = 40  # random bit orders; each is another chance that the two hashes of a pair are sorted next to each other
NEIGHBOURS = 8  # of each hash in a sorted order, that it is compared with
NEAREST = 16  # pairs per picture, on average, that are kept: the nearest, where thousands look alike
RANDOM_BITS = 30
ROW_SHIFT = RANDOM_BITS + 7  # a distance has 7 bits; 27 are left for the row
MOST_ROWS = 2 ** (64 - ROW_SHIFT)
ROWS_AT_ONCE = 2**18  # are reordered, or compared with their neighbours: little memory is needed beside the hashes
MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: D. Knuth, The Art of Computer Programming, 6.4


def find_candidates(hashes: np.ndarray, radius: int) -> np.ndarray:
    """Return pairs (m, 2) int64 of rows of `hashes` (n,) uint64 that differ in at most `radius` bits, sorted.

    Hashes that differ in few bits are often close to each other when sorted by a random order of their bits. Takes
    O(n log n) time for any hashes. Not all pairs are found: the more bits differ, the fewer.
    M. S. Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002.
    Raises UserError for more than MOST_ROWS hashes.
    """
    check_rows(len(hashes))
    found = np.empty(0, np.int64)
    for order in bit_orders():
        found = merge(found, close_in_order(hashes, order, radius))
        if len(found) > NEAREST * len(hashes):
            found = _keep_nearest(found, hashes)
    return as_pairs(found, len(hashes))


def check_rows(count: int) -> None:
    """Raise UserError when there are more pictures than rows can be numbered."""
    if count > MOST_ROWS:
        advice = "set dedupe.near to false, or divide the source into several repositories"
        text = f"near duplicates are searched among at most {MOST_ROWS:,} pictures, and there are {count:,}"
        raise UserError(f"params.yaml: dedupe.near: {text}; {advice}")


def bit_orders() -> list[np.ndarray]:
    """Return the random orders (ORDERS, 64) of the bits of a hash, the same at every call."""
    rng = np.random.default_rng(0)
    return [rng.permutation(HASH_BITS) for _ in range(ORDERS)]


def close_in_order(hashes: np.ndarray, order: np.ndarray, radius: int) -> np.ndarray:
    """Return the close pairs of one order of the bits: sorted numbers (m,) int64, lower row * n + higher row."""
    keys = np.empty(len(hashes), np.uint64)
    for start in range(0, len(hashes), ROWS_AT_ONCE):
        keys[start : start + ROWS_AT_ONCE] = _reorder_bits(hashes[start : start + ROWS_AT_ONCE], order)
    rows = np.argsort(keys, kind="stable")
    del keys
    return _close_neighbours(hashes[rows], rows, radius)


def merge(*parts: np.ndarray) -> np.ndarray:
    """Return the sorted union of sorted numbers. A stable sort joins runs; numpy.union1d is many times slower."""
    ordered = np.sort(np.concatenate(parts), kind="stable")
    unique: np.ndarray = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    return unique


def _reorder_bits(hashes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the hashes with their bits in another order: bit i is their bit order[i], counted from the highest."""
    place = np.empty(HASH_BITS, np.int64)
    place[order] = np.arange(HASH_BITS)
    bits = np.uint64(1) << (HASH_BITS - 1 - place).astype(np.uint64)  # what each bit of a hash is in the result
    set_bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.uint64)
    reordered = np.zeros(len(hashes), np.uint64)
    for byte in range(HASH_BITS // 8):
        table = (set_bits * bits[8 * byte : 8 * byte + 8]).sum(axis=1, dtype=np.uint64)
        reordered |= table[hashes >> np.uint64(HASH_BITS - 8 - 8 * byte) & np.uint64(255)]
    return reordered


def _close_neighbours(ordered: np.ndarray, rows: np.ndarray, radius: int) -> np.ndarray:
    """Return a number (lower row * n + higher row) for each pair of neighbours within `radius` bits, sorted."""
    count, found = len(ordered), [np.empty(0, np.int64)]
    for start in range(0, count, ROWS_AT_ONCE):
        for step in range(1, NEIGHBOURS + 1):
            others = ordered[start + step : start + step + ROWS_AT_ONCE]
            close = start + np.flatnonzero(np.bitwise_count(others ^ ordered[start : start + len(others)]) <= radius)
            one, other = rows[close], rows[close + step]
            found.append(np.minimum(one, other) * count + np.maximum(one, other))
    numbers: np.ndarray = np.sort(np.concatenate(found))
    return numbers


def as_pairs(numbers: np.ndarray, count: int) -> np.ndarray:
    """Return the rows (m, 2) of numbers (m,), lower row * count + higher row."""
    return np.stack(np.divmod(numbers, max(count, 1)), axis=1)


def _keep_nearest(numbers: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Return, sorted, the pairs that are among the nearest of their lower row or of their higher row."""
    lower, higher = np.divmod(numbers, len(hashes))
    kept = nearest_of(lower, lower, higher, hashes) | nearest_of(higher, lower, higher, hashes)
    return np.asarray(numbers[kept], np.int64)


def nearest_of(rows: np.ndarray, lower: np.ndarray, higher: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Return whether each pair (`lower`, `higher`) is one of the nearest of those with the same value in `rows`.

    Ties are broken at random: by row number, all pictures would keep the same few neighbours, and a large set of
    copies would fall into parts.
    """
    distance = np.bitwise_count(hashes[lower] ^ hashes[higher]).astype(np.uint64)
    numbers = (lower * len(hashes) + higher).astype(np.uint64)
    keys = rows.astype(np.uint64) << np.uint64(7) | distance
    keys = keys << np.uint64(RANDOM_BITS) | numbers * MIX >> np.uint64(64 - RANDOM_BITS)
    order, most = np.argsort(keys, kind="stable"), NEAREST // 4
    ordered = keys[order] >> np.uint64(ROW_SHIFT)
    kept = np.zeros(len(rows), bool)
    kept[order[:most]] = True
    kept[order[most:][ordered[most:] != ordered[:-most]]] = True
    return kept
