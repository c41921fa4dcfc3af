"""The learning rates of all steps as Keras takes them; imported where an optimizer is built."""

import keras
import numpy as np


class RateTable(keras.optimizers.schedules.LearningRateSchedule):
    """Looks the rate up by the number of the step in `rates` (steps,); the last one stays."""

    def __init__(self, rates: np.ndarray) -> None:
        self.rates = rates

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """Return the rate of `step`, counted from 0."""
        rates = keras.ops.convert_to_tensor(self.rates, "float32")
        return keras.ops.take(rates, keras.ops.minimum(step, len(self.rates) - 1))
