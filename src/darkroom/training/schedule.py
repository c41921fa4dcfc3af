"""The learning rate over the epochs."""

from darkroom.params.schema import Train


def learning_rate(params: Train, epoch: int) -> float:
    """Return the rate of an epoch, counted from 0."""
    if params.schedule == "constant":
        return params.learning_rate
    steps = sum(epoch >= step for step in params.step_epochs)
    return params.learning_rate * params.step_factor**steps
