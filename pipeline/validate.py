"""validate: stop the pipeline when the data may not be trained on; warn when it looks odd or has moved."""

import logging

from darkroom.stage import Report, Stage, run_stage
from darkroom.validate.checks import check_manifest, require_success, summarise, warnings_of
from darkroom.validate.drift import find_drift, profile_of, read_accepted
from darkroom.validate.expectations import read_expectations

logger = logging.getLogger("darkroom.validate")


def validate(stage: Stage) -> Report:
    """Check the manifest against the limits, the team's expectations and the accepted data."""
    own = read_expectations(stage.input("expectations"))
    accepted = read_accepted(stage.input("accepted"))
    manifest = stage.read("manifest")
    checks = check_manifest(manifest, stage.params.validate, own)
    for line in warnings_of(checks):
        logger.warning(line)
    require_success(checks)
    profile = profile_of(manifest)
    drift = find_drift(profile, accepted, stage.params.validate.drift) if accepted else []
    for line in drift:
        logger.warning("differs from the accepted data: %s", line)
    if drift or not accepted:
        logger.info("run `darkroom accept` to make this data the reference for later data")
    return summarise(checks) | {"drift": drift, "profile": profile.model_dump()}


if __name__ == "__main__":
    run_stage(validate)
