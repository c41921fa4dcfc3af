"""evaluate: open the test split, once, and say how good the model is."""

from darkroom.evaluate.curves import write_curves
from darkroom.evaluate.evaluation import evaluate_model, load_inputs
from darkroom.evaluate.example import write_example
from darkroom.evaluate.facts import picture_facts, save_decision
from darkroom.evaluate.page import page_content, write_page
from darkroom.evaluate.plots import draw_plots
from darkroom.evaluate.report import record, summarise
from darkroom.evaluate.studies import confusion, prediction_table
from darkroom.stage import Report, Stage, run_stage


def evaluate(stage: Stage) -> Report:
    """Measure the model on every split, and on test in detail."""
    params = stage.params.overlaid(stage.read("best"), "models/tune/best.yaml")  # as train has decoded the pictures
    images, split = stage.input("images"), stage.read_report("split")
    facts, history = picture_facts(stage.read("manifest"), stage.read("curated")), stage.read("history")
    inputs = load_inputs(stage.input("model"), images, stage.read("splits"), facts, stage.input("other"), params)
    found = evaluate_model(inputs, stage.read("validation_answers"), params)
    test, study = found.answers["test"], found.study
    save_decision(stage.output("decision"), found, facts, params.ensemble.folds)
    stage.save("answers", found.answers_table())
    stage.save("predictions", prediction_table(test))
    stage.save("per_class", study.classes)
    stage.save("confusion", matrix := confusion(test))
    stage.save("label_issues", study.label_issues)
    stage.save("slices", study.slices)
    stage.save("corruptions", found.corruptions)
    write_curves(stage.output("curves"), study.curves, study.calibration.reliability)
    draw_plots(stage.output("plots"), history, matrix, study.curves, study.calibration.reliability)
    write_example(images, str(test.image_ids[0]), params.image, stage.output("example"))
    content = page_content(found, facts, history, stage.read_report("ingest")["source"], split["digest"])
    write_page(stage.output("evaluation_page"), content, images, facts, params.image.depth)
    record(stage.run, found, split["test_digest"], stage.read_report("train")["digest"])
    return summarise(found)


if __name__ == "__main__":
    run_stage(evaluate)
