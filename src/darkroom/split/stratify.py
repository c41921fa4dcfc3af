"""Dividing groups of pictures among parts, so that every part gets its share of every class."""

from itertools import pairwise

import numpy as np

FEW = 1000  # pictures: with fewer, a class in every part matters more than the shares
SPOILED = 0.01  # share of the pictures that may go elsewhere so that every class is in every part
LENT = 0.05  # share of a class that may go elsewhere than it should, to even out what other classes left uneven


def stratify(groups: np.ndarray, classes: np.ndarray, shares: list[float], first_has_all: bool) -> np.ndarray:
    """Return the part, 0 to len(shares) - 1, of each group; int64.

    `groups` (n,): the group of each picture, 0 to G-1, numbered in a seeded order; `classes` (n,): its class, 0 to
    C-1; `shares`: of the parts, sum 1. A class that has as many groups as there are parts gets one into each,
    unless many small classes would spoil the shares by that; with `first_has_all` every class gets one into part 0.
    A greedy iterative stratification (after Sechidis et al. 2011): groups of several classes first, then class by
    class from the smallest, the largest groups first, each to the part that needs most; what a class leaves uneven
    is lent to the next.
    """
    count = int(classes.max(initial=-1)) + 1
    group_of, class_of, sizes = _contingency(groups, classes, count)
    needs = _Needs(np.bincount(classes, minlength=count), np.bincount(class_of, minlength=count), shares, first_has_all)
    parts = np.zeros(int(groups.max(initial=-1)) + 1, np.int64)
    mixed = np.bincount(group_of, minlength=len(parts))[group_of] > 1
    _place_mixed(parts, needs, group_of[mixed], class_of[mixed], sizes[mixed])
    group_of, class_of, sizes = group_of[~mixed], class_of[~mixed], sizes[~mixed]
    order = np.lexsort((group_of, -sizes, class_of))
    bounds = np.searchsorted(class_of[order], np.arange(count + 1))
    for label in np.argsort(needs.totals, kind="stable"):
        rows = order[bounds[label] : bounds[label + 1]]
        parts[group_of[rows]] = _divide_class(needs, int(label), sizes[rows])
    return parts


def _contingency(groups: np.ndarray, classes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return group, class and number of pictures of each pair that occurs, sorted by group and class."""
    pairs, sizes = np.unique(groups.astype(np.int64) * max(count, 1) + classes, return_counts=True)
    return pairs // max(count, 1), pairs % max(count, 1), sizes


class _Needs:
    """What is still to be placed: `need[part][class]` pictures, and which parts a class must still reach."""

    def __init__(self, totals: np.ndarray, groups: np.ndarray, shares: list[float], first_has_all: bool) -> None:
        self.totals = totals
        self.need = [(share * totals).tolist() for share in shares]
        self.left = groups.tolist()  # groups of each class
        self.carried = [0.0] * len(shares)  # pictures that the finished classes left uneven
        every, first = list(range(len(shares))), [0] if first_has_all else []
        missing = sum(max(0.0, 1 - need) for row in self.need for need in row)  # pictures, more than the shares say
        cover = totals.sum() < FEW or missing <= SPOILED * totals.sum()
        self.missing = [set(every if cover and count >= len(shares) else first) for count in self.left]

    def forced(self, label: int) -> int | None:
        """Return the part that the next group of the class `label` must go to, so that it still reaches all it must."""
        missing = self.missing[label]
        return min(missing) if missing and len(missing) >= self.left[label] else None

    def placed(self, label: int, part: int) -> None:
        """Note a group of the class `label`."""
        self.left[label] -= 1
        self.missing[label].discard(part)


def _place_mixed(parts: np.ndarray, needs: _Needs, groups: np.ndarray, classes: np.ndarray, sizes: np.ndarray) -> None:
    """Place the groups of more than one class, the largest first, where most pictures of their classes are needed."""
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    totals = np.add.reduceat(sizes, starts) if len(starts) else sizes
    ends = np.append(starts[1:], len(groups))
    overall = [sum(row) for row in needs.need]
    for number in np.lexsort((starts, -totals)).tolist():
        members = range(starts[number], ends[number])
        content = [(int(classes[row]), int(sizes[row])) for row in members]
        whole = sum(size for _, size in content)
        forced = [part for label, _ in content if (part := needs.forced(label)) is not None]
        scores = [
            sum(size * row[label] for label, size in content) / whole + overall[part] / len(needs.left)
            for part, row in enumerate(needs.need)
        ]
        part = min(forced) if forced else scores.index(max(scores))
        parts[groups[starts[number]]] = part
        overall[part] -= whole
        for label, size in content:
            needs.need[part][label] -= size
            needs.placed(label, part)


def _divide_class(needs: _Needs, label: int, sizes: np.ndarray) -> np.ndarray:
    """Return the part of each group of the class `label`; `sizes` fall, equal ones are in seeded order.

    Of equal groups the first ones fill the last part, and so on down to part 0: so a few more pictures move few others.
    """
    limit = max(0.49, LENT * float(needs.totals[label]))  # below half a picture: a tie is turned, nothing else
    lent = [min(max(carried, -limit), limit) for carried in needs.carried]
    need = [row[label] + extra for row, extra in zip(needs.need, lent, strict=True)]
    parts = np.empty(len(sizes), np.int64)
    edges = [*np.flatnonzero(np.diff(sizes, prepend=0)).tolist(), len(sizes)]
    for start, end in pairwise(edges):
        counts, size = [0] * len(need), int(sizes[start])
        for _ in range(end - start):
            forced = needs.forced(label)
            part = need.index(max(need)) if forced is None else forced
            need[part] -= size
            counts[part] += 1
            needs.placed(label, part)
        parts[start:end] = np.repeat(np.arange(len(need)), counts)[::-1]
    needs.carried = [carried + left - extra for carried, left, extra in zip(needs.carried, need, lent, strict=True)]
    return parts
