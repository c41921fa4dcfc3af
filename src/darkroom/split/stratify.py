"""Stratified division of groups of pictures into parts, so that every part gets its share of every class."""

from itertools import pairwise

import numpy as np

SMALL = 1000  # pictures; below, having every class in every part matters more than exact shares
MAX_MISPLACED = 0.01  # share of all pictures that may be misplaced to have every class in every part
MAX_BORROWED = 0.05  # share of a class that may be misplaced to even out what other classes left uneven


def stratify(groups: np.ndarray, classes: np.ndarray, shares: list[float], cover_first: bool) -> np.ndarray:
    """Return the part, 0 to len(shares) - 1, of each group (G,) int64.

    `groups` (n,): the group of each picture, 0 to G-1, numbered in a seeded order; `classes` (n,): its class, 0 to
    C-1; `shares`: of the parts, with sum 1. A class with at least as many groups as parts gets one in each part,
    unless with many small classes that would distort the shares; with `cover_first` every class gets one in part 0.
    Greedy iterative stratification (after Sechidis et al. 2011): groups of several classes first, then class by class
    from the smallest, the largest groups first, each to the part with the largest need; what a class leaves uneven
    is carried over to the next.
    """
    count = int(classes.max(initial=-1)) + 1
    group_of, class_of, sizes = _contingency(groups, classes, count)
    demand = _Demand(np.bincount(classes, minlength=count), np.bincount(class_of, minlength=count), shares, cover_first)
    parts = np.zeros(int(groups.max(initial=-1)) + 1, np.int64)
    mixed = np.bincount(group_of, minlength=len(parts))[group_of] > 1
    _place_mixed(parts, demand, group_of[mixed], class_of[mixed], sizes[mixed])
    group_of, class_of, sizes = group_of[~mixed], class_of[~mixed], sizes[~mixed]
    order = np.lexsort((group_of, -sizes, class_of))
    bounds = np.searchsorted(class_of[order], np.arange(count + 1))
    for label in np.argsort(demand.totals, kind="stable"):
        rows = order[bounds[label] : bounds[label + 1]]
        parts[group_of[rows]] = _divide_class(demand, int(label), sizes[rows])
    return parts


def _contingency(groups: np.ndarray, classes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return group, class and number of pictures of each pair that occurs, sorted by group and class."""
    pairs, sizes = np.unique(groups.astype(np.int64) * max(count, 1) + classes, return_counts=True)
    return pairs // max(count, 1), pairs % max(count, 1), sizes


class _Demand:
    """What remains to be placed: `need[part][class]` pictures, and the parts that a class must still reach."""

    def __init__(self, totals: np.ndarray, groups: np.ndarray, shares: list[float], cover_first: bool) -> None:
        self.totals = totals
        self.need = [(share * totals).tolist() for share in shares]
        self.remaining = groups.tolist()  # groups of each class
        self.carried = [0.0] * len(shares)  # pictures of surplus demand that finished classes leave
        every, first = list(range(len(shares))), [0] if cover_first else []
        missing = sum(max(0.0, 1 - need) for row in self.need for need in row)  # pictures beyond the shares
        cover = totals.sum() < SMALL or missing <= MAX_MISPLACED * totals.sum()
        self.missing = [set(every if cover and count >= len(shares) else first) for count in self.remaining]

    def forced_part(self, label: int) -> int | None:
        """Return the part where the next group of class `label` must go for it to reach every part it must."""
        missing = self.missing[label]
        return min(missing) if missing and len(missing) >= self.remaining[label] else None

    def record(self, label: int, part: int) -> None:
        """Record that a group of class `label` is placed in `part`."""
        self.remaining[label] -= 1
        self.missing[label].discard(part)


def _place_mixed(
    parts: np.ndarray, demand: _Demand, groups: np.ndarray, classes: np.ndarray, sizes: np.ndarray
) -> None:
    """Place the groups of more than one class, the largest first, where their classes are needed most."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    totals = np.add.reduceat(sizes, starts) if len(starts) else sizes
    ends = np.append(starts[1:], len(groups))
    overall = [sum(row) for row in demand.need]
    for index in np.lexsort((starts, -totals)).tolist():
        members = range(starts[index], ends[index])
        content = [(int(classes[row]), int(sizes[row])) for row in members]
        part = _neediest_part(demand, overall, content)
        parts[groups[starts[index]]] = part
        overall[part] -= sum(size for _, size in content)
        for label, size in content:
            demand.need[part][label] -= size
            demand.record(label, part)


def _neediest_part(demand: _Demand, overall: list[float], content: list[tuple[int, int]]) -> int:
    """Return the part for a group whose `content` is (class, pictures); `overall` is the need of each part."""
    forced = [part for label, _ in content if (part := demand.forced_part(label)) is not None]
    if forced:
        return min(forced)
    total = sum(size for _, size in content)
    scores = [
        sum(size * row[label] for label, size in content) / total + overall[part] / len(demand.remaining)
        for part, row in enumerate(demand.need)
    ]
    return scores.index(max(scores))


def _divide_class(demand: _Demand, label: int, sizes: np.ndarray) -> np.ndarray:
    """Return the part of each group of class `label`; `sizes` decrease, equal ones are in seeded order.

    Of equal groups the first fill the last part, and so on down to part 0, so that a few new pictures move few others.
    """
    limit = max(0.49, MAX_BORROWED * float(demand.totals[label]))  # below half a picture it only breaks ties
    borrowed = [min(max(carried, -limit), limit) for carried in demand.carried]
    need = [row[label] + extra for row, extra in zip(demand.need, borrowed, strict=True)]
    parts = np.empty(len(sizes), np.int64)
    edges = [*np.flatnonzero(np.diff(sizes, prepend=0)).tolist(), len(sizes)]
    for start, end in pairwise(edges):
        counts, size = [0] * len(need), int(sizes[start])
        for _ in range(end - start):
            forced = demand.forced_part(label)
            part = need.index(max(need)) if forced is None else forced
            need[part] -= size
            counts[part] += 1
            demand.record(label, part)
        parts[start:end] = np.repeat(np.arange(len(need)), counts)[::-1]
    demand.carried = [old + left - extra for old, left, extra in zip(demand.carried, need, borrowed, strict=True)]
    return parts
