"""evaluate: open the test split, once, and say how good the model is."""

from darkroom.core.tables import SPLIT_NAMES
from darkroom.decision.saving import write_decision
from darkroom.evaluate.curves import write_curves
from darkroom.evaluate.evaluation import Inputs, evaluate_model
from darkroom.evaluate.example import write_example
from darkroom.evaluate.facts import picture_facts
from darkroom.evaluate.measure import measured_splits
from darkroom.evaluate.page import Reports, write_page
from darkroom.evaluate.plots import draw_plots
from darkroom.evaluate.report import log_store, summarise
from darkroom.evaluate.studies import confusion, prediction_table
from darkroom.examples.pixels import load_examples
from darkroom.examples.predictions import answers_table
from darkroom.examples.runtime import start_tensorflow
from darkroom.execution.workers import worker_pool
from darkroom.stage import Report, Stage, run_stage


def evaluate(stage: Stage) -> Report:
    """Measure the model on every split, and on test in detail."""
    params, splits, images = stage.params, measured_splits(stage.read("splits"), stage.params), stage.input("images")
    with worker_pool() as pool:
        data = load_examples(images, splits, params.image, SPLIT_NAMES, pool)
    start_tensorflow(params.train.threads)
