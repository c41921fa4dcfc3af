"""evaluate: open the test split, once, and say how good the model is."""

from darkroom.core.tables import SPLIT_NAMES
from darkroom.evaluate.measure import measured_splits
from darkroom.examples.pixels import load_examples
from darkroom.examples.runtime import start_tensorflow
from darkroom.execution.workers import worker_pool
from darkroom.stage import Report, Stage


def evaluate(stage: Stage) -> Report:
    """Measure the model on every split, and on test in detail."""
    params, splits, images = stage.params, measured_splits(stage.read("splits"), stage.params), stage.input("images")
    with worker_pool() as pool:
        data = load_examples(images, splits, params.image, SPLIT_NAMES, pool)
    start_tensorflow(params.train.threads)
