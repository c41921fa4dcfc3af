"""A search with KerasTuner's Hyperband; it must be on PYTHONPATH, with the tensorboard that it asks for.

python benchmarks/search_kerastuner.py PICTURES.npz SEED EPOCHS

None of its trials begins once all together have had EPOCHS. Prints a line of JSON.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import keras_tuner
from search_network import SCORE, Counter, network, suggest, targets, use_threads
from search_space import EPOCHS, KEPT_OF, Setting, load, report

ITERATIONS = 10  # more than the budget allows


class Network(keras_tuner.HyperModel):
    """The network of a trial, and its training."""

    def build(self, hp: Any) -> keras.Model:
        """Return the compiled network."""
        return network(setting_of(hp))

    def fit(self, hp: Any, model: keras.Model, *arguments: Any, **options: Any) -> Any:
        """Train it with the batch size of the trial."""
        return model.fit(*arguments, batch_size=setting_of(hp)["train"]["batch_size"], **options)


def setting_of(hp: Any) -> Setting:
    """Return the setting of a trial."""

    def draw(name: str, low: float, high: float, log: bool = False, step: float | None = None) -> float:
        return float(hp.Float(name, low, high, step=step, sampling="log" if log else "linear"))

    return suggest(hp.Choice, draw)


def main() -> None:
    file, seed, budget = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    use_threads()
    data = {name: targets(split) for name, split in load(file, "train", "validation").items()}
    counter = Counter()
    with TemporaryDirectory() as folder:
        tuner = keras_tuner.Hyperband(
            Network(), SCORE, EPOCHS, KEPT_OF, hyperband_iterations=ITERATIONS, seed=seed, directory=folder
        )
        draw = tuner.oracle.populate_space
        tuner.oracle.populate_space = lambda name: draw(name) if counter.epochs < budget else {"status": "STOPPED"}
        tuner.search(*data["train"], validation_data=data["validation"], verbose=0, callbacks=[counter])
        best = tuner.oracle.get_best_trials(1)[0]
        found = {
            "setting": setting_of(best.hyperparameters),
            "reported": best.score,
            "trials": len(tuner.oracle.trials),
        }
    report(**found, epochs=counter.epochs)


if __name__ == "__main__":
    main()
