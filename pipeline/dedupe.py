"""dedupe: decide which pictures are used."""

from functools import partial

from darkroom.core.paths import cache_folder
from darkroom.curation.issues import find_issues
from darkroom.curation.pictures import Pictures, read_parts, to_names
from darkroom.dedupe.curate import curate_pictures, headline, summarise
from darkroom.dedupe.feedback import add_feedback
from darkroom.dedupe.near import find_near_pairs
from darkroom.execution.workers import worker_pool
from darkroom.stage import Report, Stage, run_stage


def dedupe(stage: Stage) -> Report:
    """Mark duplicates, label conflicts, what belongs together and what is too many; score every picture's issues."""
    params, inputs = stage.params.dedupe, (stage.input("images"), stage.params.dedupe, cache_folder(), worker_pool)
    pictures = Pictures(partial(read_parts, stage.input("manifest")))
    own = Pictures(pictures.parts, feedback=False)
    curated = curate_pictures(own, find_near_pairs(own, *inputs), params, stage.params.balance)
    if len(own) < len(pictures):
        curated = add_feedback(curated, pictures, find_near_pairs(pictures, *inputs), params)
    stage.save("curated", to_names(curated, pictures.texts("image_id")))
    stage.save("issues", find_issues(pictures, curated, params.issues))
    report = summarise(curated, pictures)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    run_stage(dedupe)
