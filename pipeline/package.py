"""package: record the pipeline, register the model and let the gate decide whether it is released."""

from darkroom.package.bundle import bundle_digest, write_bundle
from darkroom.package.release import release, summarise
from darkroom.package.texts import model_card, terminal_summary
from darkroom.stage import Report, Stage, run_stage


def package(stage: Stage) -> Report:
    """Record this pipeline as a run in MLflow and, when its model beats the champion, make it the champion."""
    results = stage.read_results()
    reports = {result.stage: result.report for result in results}
    bundle = stage.output("bundle")
    classes, params = reports["train"]["classes"], stage.params
    write_bundle(bundle, stage.input("model"), stage.input("decision"), classes, params.image, params.package)
    done = release(stage.params, results, bundle, stage.input("example"), stage.run.run_id)
    report = summarise(done, stage.params, bundle_digest(bundle))
    stage.save("model_card", model_card(reports, stage.params, report))
    print(terminal_summary(reports, done, stage.params.package.name), flush=True)
    return report


if __name__ == "__main__":
    run_stage(package)
