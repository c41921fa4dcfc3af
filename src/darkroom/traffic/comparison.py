"""Champion and challenger in the log of traffic: counts, rates, difference, and what they decide."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from darkroom.params.serving import Ab
from darkroom.scoring.sequential import (
    EXPECTED_VARIANCE,
    Mean,
    paired_e_value,
    paired_mean,
    pictures_for_e_value,
    pictures_for_interval,
    rate_mean,
    split_mean,
)

COMPARED = ("request", "version", "role", "label", "outcome")  # columns of the log
Interval = tuple[float, float]


@dataclass(frozen=True)
class Side:
    """The answers of one version: how many, with an outcome, and right; the rate has no value without an outcome."""

    version: str
    requests: int
    outcomes: int
    right: int
    rate: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Pairs:
    """Requests that both versions have answered: how many, with different labels, of these with an outcome.

    `wins` are those that the challenger alone has right, `losses` those of the champion alone.
    """

    count: int
    differ: int
    known: int
    wins: int
    losses: int
    e_value: float


@dataclass(frozen=True)
class Comparison:
    """What the log says about two versions; `difference` is the challenger's rate of right answers less the champion's.

    `counted` is how many requests the difference stands on, `needed` how many a decision takes; None without any
    outcome. `pairs` is None where each request has one version's answer.
    """

    champion: Side
    challenger: Side
    pairs: Pairs | None
    difference: float | None
    interval: Interval | None
    counted: int
    needed: int | None
    decision: Literal["promote", "stop", "go on"]
    reason: str


def compare(answers: pd.DataFrame, champion: str, challenger: str, chosen: Ab) -> Comparison:
    """Compare two versions by their answers (columns COMPARED), in the order in which they were given.

    If the challenger's last answer was unseen, by the requests that both have answered; else by all since its first
    one. The last answer of each version on a request counts; an error is a wrong answer.
    """
    places = np.flatnonzero(answers["version"] == challenger)
    unseen = len(places) > 0 and answers["role"].iloc[places[-1]] == "shadow"
    since = answers if unseen else answers.iloc[places[0] if len(places) else len(answers) :]
    last = since.drop_duplicates(["request", "version"], keep="last")
    ours, theirs = (last[last["version"] == version] for version in (challenger, champion))
    if not unseen:
        return _split(_side(theirs, champion, chosen), _side(ours, challenger, chosen), chosen)
    both = ours.merge(theirs[["request", "label"]], on="request", suffixes=("", "_champion"))
    sides = _side(both.assign(label=both["label_champion"]), champion, chosen), _side(both, challenger, chosen)
    return _paired(*sides, both, chosen)


def _side(rows: pd.DataFrame, version: str, chosen: Ab) -> Side:
    known = rows[rows["outcome"].notna()]
    right = int((known["label"] == known["outcome"]).sum())
    if not len(known):
        return Side(version, len(rows), 0, 0, None, None)
    rate = rate_mean(right, len(known))
    return Side(version, len(rows), len(known), right, float(rate.value), _interval(rate, chosen, (0, 1)))


def _interval(mean: Mean, chosen: Ab, limits: Interval) -> Interval:
    value, half = float(mean.value), float(mean.half_width(chosen.alpha, chosen.difference))
    return max(value - half, limits[0]), min(value + half, limits[1])


def _paired(champion: Side, challenger: Side, both: pd.DataFrame, chosen: Ab) -> Comparison:
    """Compare two versions that have answered the same requests.

    Where both have the same label neither is better, whatever is right. So an outcome is needed only where they differ;
    of the others as many count as belong to those that have one.
    """
    pairs = _pairs(both)
    counted = pairs.count * pairs.known / pairs.differ if pairs.differ else pairs.count
    if not counted:
        disagreement = pairs.differ / pairs.count if pairs.count else None  # at most one of two labels is right
        needed = None if disagreement is None else _needed_pairs(disagreement, chosen)
        reason = "no outcome is known of a request on which they differ"
        return Comparison(champion, challenger, pairs, None, None, 0, needed, "go on", reason)
    mean = paired_mean(pairs.wins, pairs.losses, counted)
    interval = _interval(mean, chosen, (-1, 1))
    certain = pairs.e_value >= 1 / chosen.alpha
    decided = _decide(certain and pairs.wins > pairs.losses, certain and pairs.wins < pairs.losses, interval, chosen)
    needed = _needed_pairs((pairs.wins + pairs.losses) / counted, chosen)
    return Comparison(champion, challenger, pairs, float(mean.value), interval, int(counted), needed, *decided)


def _pairs(both: pd.DataFrame) -> Pairs:
    differ = both[(both["label"] != both["label_champion"]) & (both["label"].notna() | both["label_champion"].notna())]
    known = differ[differ["outcome"].notna()]
    wins = int((known["label"] == known["outcome"]).sum())
    losses = int((known["label_champion"] == known["outcome"]).sum())
    return Pairs(len(both), len(differ), len(known), wins, losses, float(paired_e_value(wins, losses)))


def _needed_pairs(disagreement: float, chosen: Ab) -> int:
    for_interval = pictures_for_interval(disagreement, EXPECTED_VARIANCE, chosen.alpha, chosen.difference)
    return max(for_interval, pictures_for_e_value(disagreement, chosen.alpha, chosen.difference))


def _split(champion: Side, challenger: Side, chosen: Ab) -> Comparison:
    if not champion.outcomes or not challenger.outcomes:
        reason = "no outcomes are known of both versions"
        return Comparison(champion, challenger, None, None, None, 0, None, "go on", reason)
    mean = split_mean(challenger.right, challenger.outcomes, champion.right, champion.outcomes)
    interval = _interval(mean, chosen, (-1, 1))
    needed = pictures_for_interval(float(mean.variance), float(mean.expected), chosen.alpha, chosen.difference)
    decided = _decide(interval[0] > 0, interval[1] < 0, interval, chosen)
    return Comparison(champion, challenger, None, float(mean.value), interval, int(mean.count), needed, *decided)


def _decide(
    better: bool, worse: bool, interval: Interval, chosen: Ab
) -> tuple[Literal["promote", "stop", "go on"], str]:
    if better:
        return "promote", "the challenger is better"
    if worse:
        return "stop", "the challenger is worse"
    if interval[1] < chosen.difference:
        return "stop", f"the challenger is not better by {100 * chosen.difference:g} points"
    return "go on", "the outcomes do not decide it yet"
