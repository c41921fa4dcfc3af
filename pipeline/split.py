"""split: decide which pictures train, choose and measure the model."""

from darkroom.data.splits import assign_splits, require_no_leak, require_usable, summarise
from darkroom.stage import Report, Stage, run_stage


def split(stage: Stage) -> Report:
    """Divide the kept pictures and prove that no duplicate is on two sides."""
    curated = stage.read("curated")
    given = stage.read("manifest").set_index("image_id")["given_split"]
    splits = assign_splits(curated, given, stage.params.split)
    require_no_leak(curated, splits)
    require_usable(splits)
    stage.save("splits", splits)
    return summarise(curated, splits)


if __name__ == "__main__":
    run_stage(split)
