"""evaluate: open the test split, once, and say how good the model is."""

from darkroom.core.tables import SPLIT_NAMES
from darkroom.evaluate.example import write_example
from darkroom.evaluate.measure import measure, measured_splits
from darkroom.evaluate.plots import draw_plots
from darkroom.evaluate.studies import confusion, per_class, prediction_table
from darkroom.examples.pixels import load_examples
from darkroom.examples.predictions import answers_table
from darkroom.examples.runtime import start_tensorflow
from darkroom.examples.saving import load_network
from darkroom.execution.workers import worker_pool
from darkroom.stage import Report, Stage, run_stage


def evaluate(stage: Stage) -> Report:
    """Measure the model on every split, and on test in detail."""
    params, splits = stage.params, measured_splits(stage.read("splits"), stage.params)
    folds = bool(params.ensemble.folds)  # then some of the networks have learnt each picture outside test
    with worker_pool() as pool:
        names = ("test",) if folds else SPLIT_NAMES
        data = load_examples(stage.input("images"), splits, params.image, names, pool)
    start_tensorflow(params.train.threads)
    found = measure(load_network(stage.input("model")), data, params.evaluate.batch_size)
    test, trained = found["test"], stage.read_report("train")
    stage.save("answers", answers_table(part for name, part in found.items() if name != "train"))
    stage.save("predictions", prediction_table(test))
    stage.save("per_class", per_class(test))
    stage.save("confusion", matrix := confusion(test))
    draw_plots(stage.output("plots"), stage.read("history"), matrix)
    write_example(stage.input("images"), str(test.image_ids[0]), params.image, stage.output("example"))
    scores = {name: part.scores() for name, part in found.items()}
    return {"train": trained["train"], "validation": trained["validation"], **scores} if folds else scores


if __name__ == "__main__":
    run_stage(evaluate)
