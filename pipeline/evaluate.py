"""evaluate: open the test split, once, and say how good the model is."""

from darkroom.core.tables import SPLIT_NAMES
from darkroom.decision.saving import write_decision
from darkroom.evaluate.decide import fit_familiarity, fit_rule
from darkroom.evaluate.example import write_example
from darkroom.evaluate.measure import measure, measured_splits
from darkroom.evaluate.plots import draw_plots
from darkroom.evaluate.studies import confusion, per_class, prediction_table
from darkroom.examples.pixels import load_examples
from darkroom.examples.predictions import answers_table
from darkroom.examples.runtime import start_tensorflow
from darkroom.examples.saving import load_network
from darkroom.execution.workers import worker_pool
from darkroom.models.features import with_features
from darkroom.stage import Report, Stage, run_stage


def evaluate(stage: Stage) -> Report:
    """Measure the model on every split, and on test in detail."""
    params, splits = stage.params, measured_splits(stage.read("splits"), stage.params)
    with worker_pool() as pool:
        data = load_examples(stage.input("images"), splits, params.image, SPLIT_NAMES, pool)
    start_tensorflow(params.train.threads)
    found = measure(with_features(load_network(stage.input("model"))), data, params.evaluate.batch_size)
    validation = found["validation"].answers
    rule = fit_rule(validation.labels, validation.probabilities, params.evaluate.coverage)
    familiarity = fit_familiarity(found["train"].features, found["validation"].features)
    write_decision(stage.output("decision"), rule, familiarity)
    found = {name: part.calibrated(rule) for name, part in found.items()}
    test = found["test"].answers
    stage.save("answers", answers_table(part.answers for name, part in found.items() if name != "train"))
    stage.save("predictions", prediction_table(test))
    stage.save("per_class", per_class(test))
    stage.save("confusion", matrix := confusion(test))
    draw_plots(stage.output("plots"), stage.read("history"), matrix)
    write_example(stage.input("images"), str(test.image_ids[0]), params.image, stage.output("example"))
    return {name: part.answers.scores() for name, part in found.items()}


if __name__ == "__main__":
    run_stage(evaluate)
