"""dedupe: decide which pictures are used."""

from darkroom.data.curate import curate_pictures, headline, summarise
from darkroom.stage import Report, Stage, run_stage


def dedupe(stage: Stage) -> Report:
    """Mark duplicates, label conflicts and surplus pictures."""
    manifest = stage.read("manifest")
    curated = curate_pictures(manifest, stage.params.dedupe)
    stage.save("curated", curated)
    report = summarise(curated, manifest)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    run_stage(dedupe)
