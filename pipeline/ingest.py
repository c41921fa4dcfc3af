"""ingest: read every file once, pack the pictures and write down their facts."""

from darkroom.data.ingest import check_classes, headline, pack, summarise
from darkroom.data.listing import list_entries, open_ingest_source
from darkroom.data.workers import worker_pool
from darkroom.stage import Report, Stage, run_stage


def ingest(stage: Stage) -> Report:
    """Pack the source that params.yaml names."""
    source = stage.params.ingest.source
    with open_ingest_source(source, stage.input("raw")) as opened, worker_pool() as pool:
        entries, system_files = list_entries(opened, stage.params.ingest)
        manifest = pack(opened, entries, stage.output("images"), pool)
    check_classes(manifest, source)
    stage.save("manifest", manifest)
    report = summarise(manifest, system_files)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    run_stage(ingest)
