"""dedupe: decide which pictures are used."""

from darkroom.core.paths import cache_folder
from darkroom.curation.issues import find_issues
from darkroom.dedupe.curate import curate_pictures, headline, summarise
from darkroom.dedupe.feedback import add_feedback, without_feedback
from darkroom.dedupe.near import COMPARED, find_near_pairs
from darkroom.execution.workers import worker_pool
from darkroom.stage import Report, Stage, run_stage


def dedupe(stage: Stage) -> Report:
    """Mark duplicates, label conflicts, what belongs together and what is too many; score every picture's issues."""
    params, inputs = stage.params.dedupe, (stage.input("images"), stage.params.dedupe, cache_folder(), worker_pool)
    near_pairs = find_near_pairs(without_feedback(stage.read("manifest", COMPARED)), *inputs)
    manifest = stage.read("manifest")  # whole only now: beside all thumbnails it would take much memory
    curated = curate_pictures(without_feedback(manifest), near_pairs, params, stage.params.balance)
    if manifest["feedback"].any():
        curated = add_feedback(curated, manifest, find_near_pairs(manifest, *inputs), params)
    stage.save("curated", curated)
    stage.save("issues", find_issues(manifest, curated, params.issues))
    report = summarise(curated, manifest)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    run_stage(dedupe)
