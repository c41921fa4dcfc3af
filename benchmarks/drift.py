"""Drift: false alarms over clean days at the stated rate, and how many shifted days our checks find.

The traffic is real pictures, which the network has not learnt; each day draws a reference and traffic anew, without
overlap. Beside our checks stand Kolmogorov-Smirnov tests of the numbers, and of numbers and features, with Bonferroni's
correction. Their limit is set on clean days of their own so that they too alarm at the stated rate.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from shifts import AS_IS, CHANGES, UNSEEN, make_answers

from darkroom.decision.reference import FACTS
from darkroom.watch.drift import find_drift

NUMBERS = ("score", *FACTS)
SHARES = ("a class twice as frequent", "an unseen class, a tenth")
Tables = dict[str, pd.DataFrame]  # change -> answers, a row for each picture


def draw(tables: Tables, shift: str, args: argparse.Namespace, seed: list[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return reference and traffic of a day."""
    chance = np.random.default_rng(seed)
    clean = tables[AS_IS]
    rows = chance.permutation(len(clean))
    reference, rest = clean.iloc[rows[: args.reference]], rows[args.reference :]
    if shift == SHARES[0]:
        true = clean["true"].to_numpy()
        weights = np.where(true[rest] == chance.integers(true.max() + 1), 2.0, 1.0)
        rest = chance.choice(rest, args.pictures, replace=False, p=weights / weights.sum())
    if shift == SHARES[1]:
        few = args.pictures // 10
        unseen = tables[UNSEEN].sample(few, random_state=int(chance.integers(2**31)))
        return reference, pd.concat([clean.iloc[rest[: args.pictures - few]], unseen])
    return reference, tables.get(shift, clean).iloc[rest[: args.pictures]]


def largest_steps(reference: pd.DataFrame, traffic: pd.DataFrame) -> tuple[float, float]:
    """Return the largest Kolmogorov-Smirnov distance of the numbers, and of numbers and features.

    As all days have as many pictures, the largest distance decides as the least p with Bonferroni's correction does.
    """
    both = pd.concat([reference, traffic])
    values = np.column_stack([both[list(NUMBERS)], np.stack(both["features"].to_list())])
    order = values.argsort(axis=0, kind="stable")
    steps = np.where(order < len(reference), 1 / len(reference), -1 / len(traffic)).cumsum(axis=0)[:-1]
    ordered = np.take_along_axis(values, order, axis=0)
    found = np.where(ordered[1:] > ordered[:-1], np.abs(steps), 0).max(axis=0)
    return float(found[: len(NUMBERS)].max()), float(found.max())


def ks_limits(tables: Tables, args: argparse.Namespace) -> np.ndarray:
    """Return the distances beyond which the two tests say drift on the stated share of clean days."""
    days = [largest_steps(*draw(tables, AS_IS, args, [2, day])) for day in range(args.calibration_days)]
    limits: np.ndarray = np.quantile(days, 1 - args.rate, axis=0)
    return limits


def alarms(tables: Tables, shift: str, limits: np.ndarray, days: int, args: argparse.Namespace) -> np.ndarray:
    """Return the share of days on which our checks, and the two tests, say drift."""
    found = np.zeros((days, 3), bool)
    for day in range(days):
        pair = draw(tables, shift, args, [1, day])
        found[day, 0] = any(check.drifted for check in find_drift(*pair, args.rate, day))
        found[day, 1:] = np.array(largest_steps(*pair)) > limits
    return found.mean(axis=0)


def main() -> None:
    from scipy.stats import binom

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures_zip", type=Path, help="a .zip of train/ and test/ with class folders")
    parser.add_argument("answers", type=Path, help="folder for the answers of the network; made when it is not there")
    parser.add_argument("--weights", type=Path, help="of MobileNet 0.25 without top, for large pictures")
    parser.add_argument("--days", type=int, default=500)
    parser.add_argument("--drifted-days", type=int, default=50)
    parser.add_argument("--calibration-days", type=int, default=1000)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--reference", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument(
        "--shifts", nargs="+", default=[AS_IS, *CHANGES, *SHARES], help="which, as the table names them"
    )
    args = parser.parse_args()
    if not args.answers.exists():
        args.answers.mkdir(parents=True)
        make_answers(args.pictures_zip, args.weights, args.answers)
    tables = {path.stem: pd.read_parquet(path) for path in sorted(args.answers.glob("*.parquet"))}
    clean = tables[AS_IS]
    print(f"accuracy {(clean['predicted'] == clean['true']).mean():.3f} on {len(clean)} pictures")
    low, high = (binom.ppf(q, args.days, args.rate) / args.days for q in (0.025, 0.975))
    print(f"stated rate {args.rate}: in {args.days} clean days {low:.3f} to {high:.3f} are within its 95 % interval")
    limits = ks_limits(tables, args)
    print(f"{'shift':<28}{'days':>6}{'our checks':>14}{'KS':>8}{'KS, features too':>20}")
    for shift in args.shifts:
        days = args.days if shift == AS_IS else args.drifted_days
        ours, numbers, features = alarms(tables, shift, limits, days, args)
        print(f"{shift:<28}{days:>6}{ours:>14.3f}{numbers:>8.3f}{features:>20.3f}", flush=True)


if __name__ == "__main__":
    main()
