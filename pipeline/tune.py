"""tune: search for better hyper-parameters, on train and validation."""

from darkroom.core.files import digest
from darkroom.core.fingerprint import table_digest
from darkroom.core.paths import cache_folder
from darkroom.examples.pixels import load_examples
from darkroom.execution.workers import worker_pool
from darkroom.models.backbones import weights_file_digest
from darkroom.stage import Report, Stage, run_stage
from darkroom.train.debug import debug_data, debug_params
from darkroom.train.measuring import prepare_processes
from darkroom.tune.tuning import no_search, run_search, summarise


def tune(stage: Stage) -> Report:
    """Search, or leave an empty result when the search is off."""
    params = debug_params(stage.params)
    if params.tune.enabled:
        prepare_processes()
        splits = stage.read("splits")
        with worker_pool() as pool:
            data = load_examples(stage.input("images"), splits, params.image, ("train", "validation"), pool)
        data = debug_data(data, params)
        weights = stage.input("weights")
        content = digest([stage.code_digest(), table_digest(splits), weights_file_digest(params.model, weights)])
        best, trials = run_search(data, params, weights, cache_folder(), content, stage.run.log_metrics)
    else:
        best, trials = no_search()
    stage.save("best", best)
    stage.save("trials", trials)
    return summarise(best, trials, params.tune)


if __name__ == "__main__":
    run_stage(tune)
