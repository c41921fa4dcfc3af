"""tune: search for better hyper-parameters, on train and validation."""

from darkroom.core.files import digest
from darkroom.core.fingerprint import table_digest
from darkroom.core.paths import cache_folder
from darkroom.models.backbones import weights_file_digest
from darkroom.search_page.page import write_page
from darkroom.search_page.recording import Recording
from darkroom.stage import Report, Stage, run_stage
from darkroom.train.debug import debug_params
from darkroom.train.jobs import prepare_processes
from darkroom.tune.pictures import picture_loader
from darkroom.tune.report import summarise, trial_table
from darkroom.tune.tuning import run_search


def tune(stage: Stage) -> Report:
    """Search, or leave an empty result when the search is off."""
    params, found = debug_params(stage.params), None
    if params.tune.enabled:
        prepare_processes()
        splits, weights = stage.read("splits"), stage.input("weights")
        content = digest([stage.code_digest(), table_digest(splits), weights_file_digest(params.model, weights)])
        recording = Recording(stage.run)
        with picture_loader(stage.input("images"), splits, params) as load:
            found = run_search(params, load, weights, cache_folder(), content, recording.add)
        recording.finish(found)
    stage.save("best", found.choice.overlay if found else {})
    stage.save("trials", trial_table(found, params.tune))
    write_page(stage.output("tune_page"), found)
    return summarise(found, params.tune)


if __name__ == "__main__":
    run_stage(tune)
