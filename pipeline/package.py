"""package: record the pipeline, register the model and let the gate decide whether it is released."""

from functools import partial

from darkroom.gate.comparison import Validation
from darkroom.graphs.agreement import validation_pixels
from darkroom.package.bundle import bundle_digest, write_bundle
from darkroom.package.contender import ReleaseInputs
from darkroom.package.model_card import model_card
from darkroom.package.release import release, summarise
from darkroom.package.row import Results
from darkroom.package.texts import refusal, terminal_summary
from darkroom.stage import Report, Stage, run_stage
from darkroom.tracking.looks import count_looks


def package(stage: Stage) -> Report:
    """Record this pipeline as a run in MLflow and, when its model passes the gate, make it the champion."""
    params = stage.params.overlaid(stage.read("best"), "models/tune/best.yaml")
    tables = {"per_class": stage.read("per_class"), "slices": stage.read("slices")}
    tables |= {"label_issues": stage.read("label_issues")}
    pages = [stage.input("data_report"), stage.input("evaluation_page")]
    results = Results(stage.read_results(), stage.read("history"), stage.input("answers"), pages, tables)
    reports, bundle = results.reports, stage.output("bundle")
    pixels = partial(validation_pixels, images := stage.input("images"), answers := stage.read("answers"), params.image)
    parts = stage.input("model"), stage.input("decision"), (classes := reports["train"]["classes"])
    runtime = write_bundle(bundle, *parts, params.image, params.package, pixels)
    looks = count_looks(reports["split"]["test_digest"])  # not in an output: it grows
    card = partial(model_card, results, params, content := bundle_digest(bundle))
    validation = Validation.of(answers, classes, stage.read("curated"), images)
    goods = ReleaseInputs(bundle, stage.input("example"), partial(card, looks=looks), reports["evaluate"], validation)
    done = release(params, results, goods, stage.run.run_id)
    stage.save("model_card", card(done.verdict))
    print(terminal_summary(reports, done, params.package.name), flush=True)
    stage.refusal = refusal(done, params.package)
    return summarise(done, params, content) | runtime


if __name__ == "__main__":
    run_stage(package)
