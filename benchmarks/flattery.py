"""How much a search flatters its winner: the score that it reports less what the setting is worth, simulated.

Each setting has a worth (mean accuracy over seeds, in points), normally distributed; a training scores its worth, the
noise of its seed and that of the validation pictures, which stays with a setting when it is trained again.

    python benchmarks/flattery.py [--settings 0.5] [--seeds 0.8] [--pictures 0.2] [--studies 20000]
"""

import argparse
from typing import NamedTuple

import numpy as np


class Rule(NamedTuple):
    """A search: the number of trials, the finalists, their fresh seeds, whether the first trial is always one."""

    trials: int
    finalists: int
    seeds: int
    own: bool


RULES = {
    "best of 40": Rule(40, 0, 0, False),
    "40, best 4 on 4 fresh seeds": Rule(40, 4, 4, False),
    "40, best 3 and the first on 4": Rule(40, 4, 4, True),
    "best of 20": Rule(20, 0, 0, False),
    "20, best 5 on 4 fresh seeds": Rule(20, 5, 4, False),
    "20, best 4 and the first on 4": Rule(20, 5, 4, True),
}


def simulate(rule: Rule, spread: argparse.Namespace) -> dict[str, float]:
    """Return the means over studies: both scores less the worth of the chosen setting, its worth, and the trainings."""
    random = np.random.default_rng(0)
    worth = random.normal(0, spread.settings, (spread.studies, rule.trials))
    seen = worth + random.normal(0, spread.pictures, worth.shape)
    searched = seen + random.normal(0, spread.seeds, worth.shape)
    order = np.argsort(-searched, axis=1)[:, : max(rule.finalists, 1)]
    if rule.own:  # takes the last place where it is not among the others
        order[~(order == 0).any(axis=1), -1] = 0
    noise = random.normal(0, spread.seeds, (*order.shape, max(rule.seeds, 1))).mean(axis=2)
    fresh = np.take_along_axis(seen, order, axis=1) + noise
    place = fresh.argmax(axis=1) if rule.finalists else np.zeros(spread.studies, int)
    chosen = order[np.arange(spread.studies), place]
    at = (np.arange(spread.studies), chosen)
    found = {"search score": searched[at] - worth[at], "worth": worth[at]}
    if rule.finalists:
        found["fresh score"] = fresh.max(axis=1) - worth[at]
    means = {name: float(values.mean()) for name, values in found.items()}
    return {**means, "trainings": rule.trials + rule.finalists * rule.seeds}


def main() -> None:
    """Print a row for each rule."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--settings", type=float, default=0.5, help="deviation of the worth between settings, points")
    parser.add_argument("--seeds", type=float, default=0.8, help="deviation between seeds")
    parser.add_argument("--pictures", type=float, default=0.2, help="deviation from the validation pictures")
    parser.add_argument("--studies", type=int, default=20_000)
    spread = parser.parse_args()
    print(f"{'rule':32}{'trainings':>10}{'search score':>14}{'fresh score':>13}{'worth':>8}")
    for name, rule in RULES.items():
        means = simulate(rule, spread)
        fresh = f"{means['fresh score']:+13.2f}" if "fresh score" in means else f"{'-':>13}"
        print(f"{name:32}{means['trainings']:>10.0f}{means['search score']:+14.2f}{fresh}{means['worth']:+8.2f}")


if __name__ == "__main__":
    main()
