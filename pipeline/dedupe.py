"""dedupe: decide which pictures are used."""

from darkroom.data.curate import curate_pictures, summarise
from darkroom.stage import Report, Stage, run_stage


def dedupe(stage: Stage) -> Report:
    """Mark duplicates, label conflicts and surplus pictures."""
    manifest = stage.read("manifest")
    curated = curate_pictures(manifest, stage.params.dedupe)
    stage.save("curated", curated)
    return summarise(curated, manifest)


if __name__ == "__main__":
    run_stage(dedupe)
