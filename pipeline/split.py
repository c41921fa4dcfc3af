"""split: decide which pictures train, choose and measure the model."""

from darkroom.split.data_report import DataReport, write_data_report
from darkroom.split.split_summary import headline, summarise
from darkroom.split.splits import assign_splits, require_no_leak, require_usable
from darkroom.stage import Report, Stage, run_stage


def split(stage: Stage) -> Report:
    """Divide the kept pictures and prove that nothing that belongs together is on two sides."""
    params, curated, manifest = stage.params, stage.read("curated"), stage.read("manifest")
    facts = manifest.set_index("image_id")
    splits = assign_splits(curated, facts["given_split"], facts["feedback"], params.split, params.balance)
    require_no_leak(curated, splits, facts["sha256"])
    require_usable(splits, curated.set_index("image_id")["group_id"])
    stage.save("splits", splits)
    report = summarise(curated, splits, facts, params.split)
    reports, ingest = {"validate": stage.read_report("validate"), "split": report}, stage.read_report("ingest")
    tables = (manifest, curated, stage.read("issues"), splits, stage.input("images"), reports)
    data = DataReport(*tables, params.image.depth, ingest["source"], ingest["digest"])
    write_data_report(stage.output("data_report"), data)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    run_stage(split)
