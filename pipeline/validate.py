"""validate: stop the pipeline when the data may not be trained on."""

from darkroom.data.checks import check_manifest, require_success, summarise
from darkroom.stage import Report, Stage, run_stage


def validate(stage: Stage) -> Report:
    """Check the manifest against the limits."""
    checks = check_manifest(stage.read("manifest"), stage.params.validate)
    require_success(checks)
    return summarise(checks)


if __name__ == "__main__":
    run_stage(validate)
