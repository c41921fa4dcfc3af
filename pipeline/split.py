"""split: decide which pictures train, choose and measure the model."""

from functools import partial

from darkroom.curation.pictures import Pictures, read_parts, to_numbers
from darkroom.split.data_report import DataReport, write_data_report
from darkroom.split.split_summary import headline, summarise
from darkroom.split.splits import assign_splits, require_no_leak, require_usable, to_table
from darkroom.stage import Report, Stage, run_stage


def split(stage: Stage) -> Report:
    """Divide the kept pictures and prove that nothing that belongs together is on two sides."""
    params, pictures = stage.params, Pictures(partial(read_parts, stage.input("manifest")))
    curated = to_numbers(lambda columns: stage.read("curated", columns))
    curated = curated.join(pictures.table(["given_split", "feedback"]))
    ids = pictures.texts("image_id")
    splits = assign_splits(curated, ids, params.split, params.balance)
    require_no_leak(curated, splits, pictures.first_equal("sha256"))
    require_usable(splits, curated["group_id"])
    stage.save("splits", to_table(splits, ids))
    report = summarise(curated, splits, ids, params.split)
    reports, ingest = {"validate": stage.read_report("validate"), "split": report}, stage.read_report("ingest")
    tables = (pictures, curated, lambda columns: stage.read("issues", columns), splits, stage.input("images"), reports)
    data = DataReport(*tables, params.image.depth, ingest["source"], ingest["digest"])
    write_data_report(stage.output("data_report"), data)
    print(headline(report), flush=True)
    return report


if __name__ == "__main__":
    run_stage(split)
