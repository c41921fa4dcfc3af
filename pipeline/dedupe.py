"""dedupe: decide which pictures are used."""

import numpy as np

from darkroom.curation.issues import find_issues
from darkroom.dedupe.curate import curate_pictures, headline, summarise
from darkroom.dedupe.near import COMPARED, find_near_pairs
from darkroom.stage import Report, Stage, run_stage


def dedupe(stage: Stage) -> Report:
    """Mark duplicates, label conflicts, what belongs together and what is too many; score every picture's issues."""
    params, near_pairs = stage.params.dedupe, np.empty((0, 2), np.int64)
    if params.near:
        near_pairs = find_near_pairs(stage.read("manifest", COMPARED), stage.input("images"), params)
    manifest = stage.read("manifest")  # whole only now: beside all thumbnails it would take much memory
    curated = curate_pictures(manifest, near_pairs, params, stage.params.balance)
    stage.save("curated", curated)
    stage.save("issues", find_issues(manifest, curated, params.issues))
    report = summarise(curated, manifest)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    run_stage(dedupe)
