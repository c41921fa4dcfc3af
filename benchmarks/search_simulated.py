"""The search over simulated trainings: wanted as good as Optuna's own loop, and halving at half the epochs or less.

Ours builds a study anew for each trial, from the trials that ended; Optuna's own keeps one study and one sampler. Both
get the same trainings, sampler settings and pruner; halving and Hyperband prune a batch of ours in lock step. A log
loss falls to a floor that learning rate, dropout, width, optimizer and momentum decide, the sooner the higher the
rate, with noise. What counts is the regret: the last log loss without noise of the chosen trial, which has the best
one with noise, over the lowest possible.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from statistics import mean, stdev
from typing import Any

import numpy as np
import optuna
from working_copy import print_table

from darkroom.params.search import Tune
from darkroom.train.checkpoint import Row
from darkroom.tune.pruning import Pruning, behind, pruner, rungs_of_batch
from darkroom.tune.sampling import draw, sampler
from darkroom.tune.space import drawn_from, suggest
from darkroom.tune.trial import Drawn, Trial

SPACE = {
    "train": {
        "learning_rate": {"low": 1e-5, "high": 1e-1, "log": True},
        "optimizer": {"choices": ["adam", "sgd"]},
        "momentum": {"low": 0.0, "high": 0.99, "when": {"train.optimizer": ["sgd"]}},
    },
    "model": {"dropout": {"low": 0.0, "high": 0.8, "step": 0.1}, "units": {"low": 16, "high": 512, "log": True}},
}
OWN = {
    "train.learning_rate": 1e-4,
    "train.optimizer": "sgd",
    "train.momentum": 0.9,
    "model.dropout": 0.5,
    "model.units": 32,
}
NOISE, LOWEST, CHANCE = 0.02, 0.3, 2.3
Values = dict[str, Any]
Result = tuple[float, int]  # regret, epochs
Search = Callable[[Tune], Result]


def log_loss(values: Values, epoch: int) -> float:
    """Return the log loss after an epoch, without noise."""
    momentum, dropout = values.get("train.momentum", 0.9), values["model.dropout"]
    rate, width = math.log10(values["train.learning_rate"]), math.log2(values["model.units"] / 180)
    off = rate - (-2.8 if values["train.optimizer"] == "adam" else -1 + math.log10(1 - momentum))
    floor = 0.15 * off**2 + 0.9 * (dropout - 0.3 - 0.05 * width) ** 2 + 0.02 * width**2
    if values["train.optimizer"] == "sgd":
        floor += 0.05 + 0.2 * (momentum - 0.9) ** 2
    pace = 3 * 10 ** (-0.3 * off)  # in epochs
    return float(LOWEST + floor + (CHANCE - LOWEST) * math.exp(-epoch / pace))


def curve(values: Values, tune: Tune, number: int) -> Iterator[float]:
    chance = np.random.default_rng([tune.seed, number])
    for epoch in range(1, tune.epochs + 1):
        yield log_loss(values, epoch) + chance.normal(0, NOISE)


def flat(overlay: dict[str, Values]) -> Values:
    return {f"{section}.{key}": value for section, keys in overlay.items() for key, value in keys.items()}


def train(drawn: Drawn, tune: Tune, trials: Sequence[Trial]) -> Trial:
    pruning, rows = Pruning(tune, trials, drawn.number), []
    for epoch, loss in enumerate(curve(flat(drawn.overlay), tune, drawn.number), start=1):
        rows.append({"validation_log_loss": loss})
        if pruning.stops(epoch, loss):
            return Trial(drawn, "pruned", curve=rows, rungs=pruning.rungs)
    return Trial(drawn, "complete", {"log_loss": loss}, rows, rungs=pruning.rungs)


def train_batch(batch: Sequence[Drawn], tune: Tune, trials: Sequence[Trial]) -> list[Trial]:
    """Train a batch, in lock step where its trials are compared at rungs."""
    rungs = rungs_of_batch(tune)
    if not rungs:
        return [train(drawn, tune, trials) for drawn in batch]
    curves, ends = {drawn.number: whole_curve(drawn, tune) for drawn in batch}, dict[int, int]()
    for rung in rungs:
        known = {number: rows[: ends.get(number, rung)] for number, rows in curves.items()}
        ends |= dict.fromkeys(behind(tune, trials, known, [one for one in curves if one not in ends], rung), rung)
    return [ended(drawn, curves[drawn.number][: ends.get(drawn.number)], tune) for drawn in batch]


def whole_curve(drawn: Drawn, tune: Tune) -> list[Row]:
    return [{"validation_log_loss": loss} for loss in curve(flat(drawn.overlay), tune, drawn.number)]


def ended(drawn: Drawn, rows: list[Row], tune: Tune) -> Trial:
    pruning = Pruning(tune, [], drawn.number)
    pruning.replay(rows)
    if len(rows) < tune.epochs:
        return Trial(drawn, "pruned", curve=rows, rungs=pruning.rungs)
    return Trial(drawn, "complete", {"log_loss": rows[-1]["validation_log_loss"]}, rows, rungs=pruning.rungs)


def ours(tune: Tune) -> Result:
    trials: list[Trial] = []
    while (start := len(trials)) < tune.trials:
        numbers = range(start, min(start + tune.batch, tune.trials))
        trials += train_batch(draw(tune, OWN, trials, numbers), tune, trials)
    best = min((trial for trial in trials if trial.scores), key=lambda trial: trial.scores["log_loss"])
    return log_loss(flat(best.drawn.overlay), tune.epochs), sum(len(trial.curve) for trial in trials)


def plain_optuna(tune: Tune) -> Result:
    study = optuna.create_study(sampler=sampler(tune, 0), pruner=pruner(tune))
    study.enqueue_trial(drawn_from(tune, OWN))

    def objective(trial: optuna.Trial) -> float:
        values = flat(suggest(trial, tune, OWN))
        trial.set_user_attr("values", values)
        for epoch, loss in enumerate(curve(values, tune, trial.number), start=1):
            trial.report(loss, epoch)
            if trial.should_prune() and epoch < tune.epochs:
                raise optuna.TrialPruned
        return loss

    study.optimize(objective, n_trials=tune.trials)
    epochs = sum(len(trial.intermediate_values) for trial in study.trials)
    return log_loss(study.best_trial.user_attrs["values"], tune.epochs), epochs


def lowest(epochs: int) -> float:
    """Return the lowest log loss: of the best rate for Adam, with the best dropout and width."""
    best = {"train.optimizer": "adam", "model.dropout": 0.3, "model.units": 180}
    return min(log_loss({**best, "train.learning_rate": 10**power}, epochs) for power in np.linspace(-5, -1, 4001))


def measured(search: Search, seeds: int, bottom: float, **settings: Any) -> list[Any]:
    results = [search(settings_of(seed=seed, **settings)) for seed in range(seeds)]
    regrets, epochs = [loss - bottom for loss, _ in results], [spent for _, spent in results]
    return [f"{mean(regrets):.3f} ± {stdev(regrets) / math.sqrt(seeds):.3f}", round(mean(epochs))]


def settings_of(**settings: Any) -> Tune:
    fixed = {"enabled": True, "minutes": 0, "metric": "log_loss", "costs": [], "tolerance": 0, "finalists": 0}
    return Tune(**{**fixed, "fresh_seeds": 1, "batch": 1, "space": SPACE, "pruner": "none", **settings})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--of", nargs="+", default=["tpe", "cmaes", "nsga2", "random", "qmc"], help="samplers")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    budget = {"trials": options.trials, "epochs": options.epochs}
    bottom = lowest(options.epochs)
    pruned = [("tpe", name) for name in ("halving", "hyperband", "median")] if "tpe" in options.of else []
    rows = []
    for name, stopped in [*((name, "none") for name in options.of), *pruned]:
        each = {"sampler": name, "pruner": stopped, **budget}
        others = [["", ""]] if name == "qmc" else [measured(plain_optuna, options.seeds, bottom, **each)]
        batch = measured(ours, options.seeds, bottom, batch=4, **each)
        rows.append([name, stopped, *measured(ours, options.seeds, bottom, **each), *batch, *others[0]])
    print_table(["sampler", "pruner", "regret", "epochs", "batches of 4", "epochs", "Optuna's loop", "epochs"], *rows)


if __name__ == "__main__":
    main()
