"""The searches that search_study.py compares with: Optuna and Keras written by hand, and KerasTuner's Hyperband.

python benchmarks/search_peers.py PICTURES.npz search SEED BUDGET      BUDGET: {"tuner": NAME, "epochs": N}, as JSON
python benchmarks/search_peers.py PICTURES.npz again SEED,... SETTING  SETTING: {section: {key: value}}, as JSON

Both print a line of JSON. Each trial is `fit` on arrays in this process, with Keras' own layers for augmentation, and
ends when the budget does. Optuna gets the pruner of ours, and its first trial too. KerasTuner must be on PYTHONPATH,
with the tensorboard that it asks for.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers
from search_space import CLASSES, DENSE, EPOCHS, KEPT_OF, SHIFT, SIDE, SPACE, START, THREADS, load, report

if TYPE_CHECKING:
    from search_space import Setting, Split

SCORE = "val_accuracy"
Flat = dict[str, Any]


class Counter(keras.callbacks.Callback):
    """Counts the epochs of all trials."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = 0

    def on_epoch_end(self, *_: Any) -> None:
        """Count an epoch."""
        self.epochs += 1

    def __deepcopy__(self, _: Any) -> "Counter":
        """Return the same one: KerasTuner copies callbacks for each trial."""
        return self


def network(setting: "Setting") -> keras.Model:
    """Return the compiled network, layer by layer that of ours."""
    model, train = setting["model"], setting["train"]
    flips = [layers.RandomFlip("horizontal")] if setting["augment"]["horizontal_flip"] else []
    varied = [*flips, layers.RandomTranslation(SHIFT, SHIFT, fill_mode="nearest"), layers.Rescaling(1 / 255)]
    blocks = [layer for width in model["filters"] for layer in block(width, model["block_dropout"])]
    head = [
        layers.Flatten(),
        layers.Dense(DENSE, "relu"),
        layers.BatchNormalization(),
        layers.Dropout(model["dropout"]),
    ]
    output = layers.Dense(CLASSES, "softmax")
    built = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *varied, *blocks, *head, output])
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=train["label_smoothing"])
    built.compile(optimizer(train["optimizer"], train["learning_rate"]), loss, metrics=["accuracy"])
    return built


def block(width: int, dropout: float) -> list[keras.Layer]:
    convolution = layers.Conv2D(width, 3, padding="same", activation="relu")
    return [convolution, layers.BatchNormalization(), layers.MaxPooling2D(), layers.Dropout(dropout)]


def optimizer(name: str, rate: float) -> keras.optimizers.Optimizer:
    if name == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
    return keras.optimizers.get({"class_name": name, "config": {"learning_rate": rate}})


def targets(split: "Split") -> tuple[np.ndarray, np.ndarray]:
    return split[0], keras.utils.to_categorical(split[1], CLASSES)


def suggest(ask: Any) -> "Setting":
    """Return a setting of the space; `ask` draws from a list (name, choices) or a range (name, low, high, ...)."""
    return {
        section: {key: ask(f"{section}.{key}", **values) for key, values in keys.items()}
        for section, keys in SPACE.items()
    }


def drawn_by(choose: Any, draw: Any) -> Any:
    """Return `ask` of `suggest`; both libraries want choices that are no lists."""

    def ask(name: str, choices: list[Any] | None = None, **values: Any) -> Any:
        return json.loads(choose(name, [json.dumps(one) for one in choices])) if choices else draw(name, values)

    return ask


def optuna_search(data: "dict[str, Split]", seed: int, budget: int) -> dict[str, Any]:
    import optuna

    (x, y), validation, counter = targets(data["train"]), targets(data["validation"]), Counter()

    class Report(keras.callbacks.Callback):
        def __init__(self, trial: optuna.Trial) -> None:
            super().__init__()
            self.trial = trial

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.trial.report(logs[SCORE], epoch + 1)
            if epoch + 1 < EPOCHS and self.trial.should_prune():
                raise optuna.TrialPruned

    def objective(trial: optuna.Trial) -> float:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        draw = drawn_by(trial.suggest_categorical, lambda name, values: trial.suggest_float(name, **values))
        setting = suggest(draw)
        trial.set_user_attr("setting", setting)
        fitted = network(setting).fit(
            x, y, setting["train"]["batch_size"], EPOCHS, 0, [counter, Report(trial)], validation_data=validation
        )
        return float(fitted.history[SCORE][-1])

    def stop(study: optuna.Study, _: Any) -> None:
        if counter.epochs >= budget:
            study.stop()

    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=KEPT_OF)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=5), pruner=pruner
    )
    study.enqueue_trial(first())
    study.optimize(objective, callbacks=[stop])
    found = {"setting": study.best_trial.user_attrs["setting"], "reported": study.best_value}
    return {**found, "epochs": counter.epochs, "trials": len(study.trials)}


def first() -> Flat:
    """Return the first setting as Optuna draws it."""
    flat = {f"{section}.{key}": value for section, keys in START.items() for key, value in keys.items()}
    lists = {f"{section}.{key}" for section, keys in SPACE.items() for key in keys if "choices" in keys[key]}
    return {name: json.dumps(value) if name in lists else value for name, value in flat.items()}


def kerastuner_search(data: "dict[str, Split]", seed: int, budget: int) -> dict[str, Any]:
    import keras_tuner

    (x, y), counter = targets(data["train"]), Counter()

    def setting_of(hp: Any) -> "Setting":
        def draw(name: str, values: Flat) -> float:
            sampling = "log" if values.get("log") else "linear"
            return float(hp.Float(name, values["low"], values["high"], step=values.get("step"), sampling=sampling))

        return suggest(drawn_by(hp.Choice, draw))

    class Network(keras_tuner.HyperModel):  # type: ignore[misc]
        def build(self, hp: Any) -> keras.Model:
            return network(setting_of(hp))

        def fit(self, hp: Any, model: keras.Model, *arguments: Any, **options: Any) -> Any:
            return model.fit(*arguments, batch_size=setting_of(hp)["train"]["batch_size"], **options)

    with TemporaryDirectory() as folder:
        tuner = keras_tuner.Hyperband(
            Network(), objective=SCORE, max_epochs=EPOCHS, factor=KEPT_OF, hyperband_iterations=10, seed=seed,
            directory=folder,
        )  # fmt: skip
        more = tuner.oracle.populate_space
        tuner.oracle.populate_space = lambda name: more(name) if counter.epochs < budget else {"status": "STOPPED"}
        tuner.search(x, y, validation_data=targets(data["validation"]), verbose=0, callbacks=[counter])
        best = tuner.oracle.get_best_trials(1)[0]
        found = {"setting": setting_of(best.hyperparameters), "reported": best.score, "epochs": counter.epochs}
        return {**found, "trials": len(tuner.oracle.trials)}


def again(data: "dict[str, Split]", seeds: list[int], setting: "Setting") -> dict[str, list[float]]:
    """Return the accuracies of the setting trained with each seed."""
    scores: dict[str, list[float]] = {"validation": [], "test": []}
    for seed in seeds:
        keras.backend.clear_session()
        keras.utils.set_random_seed(seed)
        trained = network(setting)
        trained.fit(*targets(data["train"]), setting["train"]["batch_size"], EPOCHS, 0)
        for split, values in scores.items():
            values.append(trained.evaluate(*targets(data[split]), batch_size=256, verbose=0)[1])
    return scores


def main() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    file, what, seeds, given = Path(sys.argv[1]), sys.argv[2], sys.argv[3].split(","), json.loads(sys.argv[4])
    if what == "again":
        report(**again(load(file, "train", "validation", "test"), [int(one) for one in seeds], given))
        return
    search = {"optuna": optuna_search, "kerastuner": kerastuner_search}[given["tuner"]]
    report(**search(load(file, "train", "validation"), int(seeds[0]), given["epochs"]))


if __name__ == "__main__":
    main()
