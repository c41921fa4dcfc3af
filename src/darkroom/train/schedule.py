"""The learning rate of every step of a training."""

import numpy as np

from darkroom.params.training import Train

FIRST_SHARE, LAST_SHARE = 0.2, 0.07  # of the highest rate, where one_cycle begins and ends


def learning_rates(params: Train, highest: float, steps: int, epochs: int) -> np.ndarray:
    """Return the rate (epochs * steps,) of each step; `steps` is their number in an epoch.

    "cosine" falls along half a wave to 0 (I. Loshchilov, F. Hutter, SGDR, ICLR 2017), "one_cycle" rises in a line
    over `warmup` of the training and falls in a line (L. Smith, N. Topin, Super-convergence, 2017). A warm-up of the
    other schedules rises in a line from 0.
    """
    step = np.arange(epochs * steps)
    rising = round(params.warmup * len(step))
    if params.schedule == "one_cycle":
        return highest * np.interp(step, [0, rising, len(step)], [FIRST_SHARE, 1, LAST_SHARE])
    rates = np.full(len(step), highest)
    if params.schedule == "cosine":
        done = np.clip((step - rising) / max(len(step) - rising, 1), 0, 1)
        rates = highest * (1 + np.cos(np.pi * done)) / 2
    elif params.schedule == "step":
        rates = highest * params.step_factor ** np.searchsorted(params.step_epochs, step // steps, side="right")
    return rates * np.minimum((step + 1) / rising, 1) if rising else rates
