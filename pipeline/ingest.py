"""ingest: read every file once, pack the pictures and write down their facts."""

from darkroom.core.paths import cache_folder
from darkroom.execution.workers import prepare_workers, worker_pool
from darkroom.ingest.corrections import correct, read_corrections
from darkroom.ingest.feedback import WithFeedback, list_feedback
from darkroom.ingest.ingest import check_classes, headline, pack, read_summary, summarise
from darkroom.ingest.listing import list_entries, open_ingest_source
from darkroom.ingest.sources import Folder
from darkroom.stage import Report, Stage, run_stage


def ingest(stage: Stage) -> Report:
    """Pack the source that params.yaml names."""
    params, depth = stage.params.ingest, stage.params.image.depth
    corrections = read_corrections(stage.input("corrections"))
    with open_ingest_source(params, stage.input("raw")) as opened, worker_pool() as pool:
        entries, system_files = list_entries(opened, params)
        if params.feedback:
            entries += list_feedback(stage.input("feedback"), entries)
        unknown = correct(entries, corrections)
        files = WithFeedback(opened, Folder(stage.input("feedback")))
        images, file = stage.output("images"), stage.output("manifest")
        pack(files, entries, images, file, cache_folder(), pool, depth)
    manifest = read_summary(file)
    check_classes(manifest, params.source)
    report = summarise(manifest, params.source, system_files, corrections, unknown)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    prepare_workers("darkroom.ingest.ingest", "darkroom.stage")
    run_stage(ingest)
