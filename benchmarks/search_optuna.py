"""A search with Optuna and Keras, written by hand: TPE and halving as ours, and the same first trial.

python benchmarks/search_optuna.py PICTURES.npz SEED EPOCHS

A trial is `fit` on arrays, in this process; none begins once all together have had EPOCHS. Prints a line of JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import optuna
from search_network import SCORE, Counter, network, suggest, targets, use_threads
from search_space import EPOCHS, KEPT_OF, RANDOM_TRIALS, SPACE, START, load, report


class Pruned(keras.callbacks.Callback):
    """Reports each epoch, and ends the trial when it falls behind."""

    def __init__(self, trial: optuna.Trial) -> None:
        super().__init__()
        self.trial = trial

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report the accuracy, and ask Optuna's pruner."""
        self.trial.report(logs[SCORE], epoch + 1)
        if epoch + 1 < EPOCHS and self.trial.should_prune():
            raise optuna.TrialPruned


def first() -> dict[str, Any]:
    """Return the first setting as Optuna draws it."""
    found = {}
    for section, keys in START.items():
        for key, value in keys.items():
            found[f"{section}.{key}"] = json.dumps(value) if "choices" in SPACE[section][key] else value
    return found


def main() -> None:
    file, seed, budget = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    use_threads()
    data = {name: targets(split) for name, split in load(file, "train", "validation").items()}
    counter = Counter()

    def objective(trial: optuna.Trial) -> float:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        setting = suggest(trial.suggest_categorical, trial.suggest_float)
        trial.set_user_attr("setting", setting)
        watched, size = [counter, Pruned(trial)], setting["train"]["batch_size"]
        fitted = network(setting).fit(*data["train"], size, EPOCHS, 0, watched, validation_data=data["validation"])
        return float(fitted.history[SCORE][-1])

    def stop(study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        if counter.epochs >= budget:
            study.stop()

    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=KEPT_OF)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    study.enqueue_trial(first())
    study.optimize(objective, callbacks=[stop])
    best = study.best_trial
    found = {"setting": best.user_attrs["setting"], "reported": best.value, "trials": len(study.trials)}
    report(**found, epochs=counter.epochs)


if __name__ == "__main__":
    main()
