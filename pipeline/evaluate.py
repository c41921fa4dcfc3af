"""evaluate: open the test split, once, and say how good the model is."""

from darkroom.core.tables import SPLIT_NAMES
from darkroom.evaluate.example import write_example
from darkroom.evaluate.plots import draw_plots
from darkroom.examples.measure import measure, measured_splits, prediction_table
from darkroom.examples.metrics import confusion, per_class
from darkroom.examples.pixels import load_examples
from darkroom.examples.runtime import start_tensorflow
from darkroom.examples.saving import load_network
from darkroom.execution.workers import worker_pool
from darkroom.stage import Report, Stage, run_stage


def evaluate(stage: Stage) -> Report:
    """Measure the model on every split, and on test in detail."""
    params, splits = stage.params, measured_splits(stage.read("splits"), stage.params)
    with worker_pool() as pool:
        data = load_examples(stage.input("images"), splits, params.image, SPLIT_NAMES, pool)
    start_tensorflow(params.train.threads)
    network = load_network(stage.input("model"))
    scores, probabilities = measure(network, data, params.evaluate.batch_size)
    if params.ensemble.folds:  # every picture was learnt by some of the networks; train asked the others
        scores["validation"] = stage.read_report("train")["validation"]
    test, predicted = data["test"], probabilities.argmax(axis=1)
    matrix = confusion(test.labels, predicted, test.classes)
    ids = splits[(splits["split"] == "test") & (splits["copies"] > 0)]["image_id"]
    stage.save("predictions", prediction_table(ids, test, probabilities))
    stage.save("per_class", per_class(test.labels, predicted, test.classes))
    stage.save("confusion", matrix)
    draw_plots(stage.output("plots"), stage.read("history"), matrix)
    write_example(stage.input("images"), ids.iloc[0], params.image, stage.output("example"))
    return scores


if __name__ == "__main__":
    run_stage(evaluate)
