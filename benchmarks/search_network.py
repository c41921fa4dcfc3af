"""The network of search_study.py in Keras, written by hand, and its trainings with a setting; prints a line of JSON.

python benchmarks/search_network.py PICTURES.npz SEED,... SETTING       SETTING: {section: {key: value}}, as JSON
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from search_space import CLASSES, DENSE, EPOCHS, SHIFT, SIDE, SPACE, THREADS, Setting, Split, load, report

SCORE = "val_accuracy"


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


def network(setting: Setting) -> keras.Model:
    """Return the compiled network, layer by layer that of ours, with Keras' own layers for augmentation."""
    model, train = setting["model"], setting["train"]
    flips = [layers.RandomFlip("horizontal")] if setting["augment"]["horizontal_flip"] else []
    varied = [*flips, layers.RandomTranslation(SHIFT, SHIFT, fill_mode="nearest"), layers.Rescaling(1 / 255)]
    blocks = [layer for width in model["filters"] for layer in block(width, model["block_dropout"])]
    dense = [layers.Dense(DENSE, "relu"), layers.BatchNormalization(), layers.Dropout(model["dropout"])]
    head = [layers.Flatten(), *dense, layers.Dense(CLASSES, "softmax")]
    built = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *varied, *blocks, *head])
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


def targets(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels, and the labels as Keras' label smoothing wants them."""
    return split[0], keras.utils.to_categorical(split[1], CLASSES)


def suggest(choose: Callable[[str, list[str]], str], draw: Callable[..., float]) -> Setting:
    """Return a setting of the space; both libraries want choices that are no lists, so they get texts."""

    def drawn(name: str, choices: list[Any] | None = None, **values: Any) -> Any:
        return json.loads(choose(name, [json.dumps(one) for one in choices])) if choices else draw(name, **values)

    return {
        section: {key: drawn(f"{section}.{key}", **values) for key, values in keys.items()}
        for section, keys in SPACE.items()
    }


def use_threads() -> None:
    """Let TensorFlow, which must not have started, use as many threads as in the trainings of ours."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)


def main() -> None:
    file, seeds, setting = Path(sys.argv[1]), sys.argv[2].split(","), json.loads(sys.argv[3])
    use_threads()
    data = {name: targets(split) for name, split in load(file, "train", "validation", "test").items()}
    scores: dict[str, list[float]] = {"validation": [], "test": []}
    for seed in seeds:
        keras.backend.clear_session()
        keras.utils.set_random_seed(int(seed))
        trained = network(setting)
        trained.fit(*data["train"], setting["train"]["batch_size"], EPOCHS, 0)
        for split, found in scores.items():
            found.append(trained.evaluate(*data[split], batch_size=256, verbose=0)[1])
    report(**scores)


if __name__ == "__main__":
    main()
