"""Champion and challenger looked at daily: how often equal ones are told apart, and how soon two points are found.

100 pictures a day have outcomes. Beside our e-value and intervals stands what is often done: a z test at 5 % every day,
until it says something. `pairs` are answered by both, one alone is right on a share of them; in a `split` the
challenger answers a share of the pictures. The prediction is the number that `darkroom ab` says at the true variance.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from working_copy import print_table

from darkroom.scoring.sequential import (
    EXPECTED_VARIANCE,
    Mean,
    paired_e_value,
    paired_mean,
    pictures_for_e_value,
    pictures_for_interval,
    split_mean,
)

ALPHA, POINTS, DAILY, DEVIATIONS = 0.05, 0.02, 100, 1.959963984540054
DAYS = 60  # of looks at models that are equally good
ACCURACY = 0.9  # of the champion, in a split


@dataclass(frozen=True)
class Course:
    """Simulated comparisons: the difference until each day (runs, days), and wins and losses of pairs."""

    mean: Mean
    wins: np.ndarray | None = None
    losses: np.ndarray | None = None

    def differ(self) -> np.ndarray:
        """Return where the interval excludes that they are equal."""
        return np.asarray(np.abs(self.mean.value) > self.mean.half_width(ALPHA, POINTS))

    def test(self) -> np.ndarray:
        """Return where a z test at 5 % does."""
        return np.asarray(np.abs(self.mean.value) > DEVIATIONS * np.sqrt(self.mean.variance / self.mean.count))

    def excluded(self) -> np.ndarray:
        """Return where the interval excludes the difference that is worth finding."""
        return np.asarray(self.mean.value + self.mean.half_width(ALPHA, POINTS) < POINTS)

    def evident(self) -> np.ndarray | None:
        """Return where the e-value has reached 1 / alpha; None in a split."""
        if self.wins is None or self.losses is None:
            return None
        return np.asarray(paired_e_value(self.wins, self.losses) >= 1 / ALPHA)


def paired(disagreement: float, difference: float, runs: int, days: int) -> Course:
    chances = (disagreement + difference) / 2, (disagreement - difference) / 2, 1 - disagreement
    drawn = np.random.default_rng(0).multinomial(DAILY, chances, size=(runs, days)).cumsum(axis=1)
    wins, losses = drawn[..., 0], drawn[..., 1]
    return Course(paired_mean(wins, losses, DAILY * np.arange(1, days + 1)), wins, losses)


def split(share: float, difference: float, runs: int, days: int) -> Course:
    generator = np.random.default_rng(1)
    count = generator.binomial(DAILY, share, size=(runs, days))
    right = generator.binomial(count, ACCURACY + difference).cumsum(axis=1)
    other = generator.binomial(DAILY - count, ACCURACY).cumsum(axis=1)
    count = np.maximum(count.cumsum(axis=1), 1)  # before its first answer it has none right
    return Course(split_mean(right, count, other, DAILY * np.arange(1, days + 1) - count))


def share_of(met: np.ndarray | None) -> str:
    return "-" if met is None else f"{100 * met.any(axis=1).mean():.1f}"


def pictures_until(met: np.ndarray | None) -> str:
    """Return the median number of pictures until it is met."""
    if met is None:
        return "-"
    days = np.median(np.where(met.any(axis=1), met.argmax(axis=1) + 1, np.inf))
    return f"{DAILY * days:,.0f}"


def alarms(runs: int) -> None:
    kinds = {f"pairs, one alone right on {100 * share:g} %": paired(share, 0, runs, DAYS) for share in (0.05, 0.1, 0.2)}
    kinds |= {f"split, {100 * share:g} % of the traffic": split(share, 0, runs, DAYS) for share in (0.05, 0.1, 0.5)}
    rows = [[name, *map(share_of, (one.evident(), one.differ(), one.test()))] for name, one in kinds.items()]
    print_table([f"false alarms in {DAYS} daily looks, %", "e-value", "interval", "z test"], *rows)


def times(runs: int) -> None:
    rows = []
    for disagreement in (0.05, 0.1, 0.2):
        better, equal = (paired(disagreement, points, runs, 150) for points in (POINTS, 0))
        rows.append([f"pairs, one alone right on {100 * disagreement:g} %", *durations(better, equal)])
        predicted = pictures_for_interval(disagreement, EXPECTED_VARIANCE, ALPHA, POINTS)
        rows[-1] += [f"{pictures_for_e_value(disagreement, ALPHA, POINTS):,}", f"{predicted:,}"]
    for share in (0.1, 0.5):
        better, equal = (split(share, points, runs, 600) for points in (POINTS, 0))
        rows.append([f"split, {100 * share:g} % of the traffic", *durations(better, equal), "-"])
        weight = 1 / share + 1 / (1 - share)
        variance, expected = ACCURACY * (1 - ACCURACY) * weight, EXPECTED_VARIANCE * weight
        rows[-1] += [f"{pictures_for_interval(variance, expected, ALPHA, POINTS):,}"]
    found = ["found by e-value", "by interval", "excluded", "predicted by e-value", "by interval"]
    print_table(["pictures until 2 points are", *found], *rows)


def durations(better: Course, equal: Course) -> list[str]:
    return [pictures_until(better.evident()), pictures_until(better.differ()), pictures_until(equal.excluded())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4000, help="simulated comparisons for each row")
    chosen = parser.parse_args()
    alarms(chosen.runs)
    times(max(chosen.runs // 8, 1))


if __name__ == "__main__":
    main()
