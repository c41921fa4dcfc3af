"""train: fit the network, or several, and keep the best epoch of each."""

from darkroom.core.files import file_digest
from darkroom.core.fingerprint import table_digest
from darkroom.core.paths import checkpoint_folder
from darkroom.examples.runtime import start_tensorflow
from darkroom.examples.saving import save_network
from darkroom.execution.progress import epoch_verbosity
from darkroom.models.backbones import weights_file_digest
from darkroom.models.combine import combine
from darkroom.models.contact_sheet import contact_sheet
from darkroom.stage import Report, Stage, run_stage
from darkroom.train.checkpoint import locked_checkpoints
from darkroom.train.debug import debug_params
from darkroom.train.ensemble import fit_members, histories, load_folds, members
from darkroom.train.result import summarise


def train(stage: Stage) -> Report:
    """Train with the values that tune found, or those of params.yaml; an interrupted training resumes."""
    params, splits = stage.params.overlaid(stage.read("best"), "models/tune/best.yaml"), stage.read("splits")
    stage.run.log_params({f"tuned/{key}": value for key, value in params.differences(stage.params).items()})
    params = debug_params(params)
    data = load_folds(stage.input("images"), splits, params)
    first = next(iter(data.values()))
    stage.run.log_dataset("splits", table_digest(splits), {name: len(first[name]) for name in first}, "training")
    start_tensorflow(params.train.threads)
    sheet = contact_sheet(first["train"], params, stage.output("augmented"))
    stage.run.log_image(sheet, "augmented.png")  # to be seen while it trains
    chosen, weights = members(params, data), stage.input("weights")
    key = stage.cache_key(params, table_digest(splits), weights_file_digest(params.model, weights))
    folder = stage.resources.enter_context(locked_checkpoints(checkpoint_folder(key)))
    fits = fit_members(chosen, data, weights, folder, stage.run.log_metrics, epoch_verbosity())
    save_network(combine([one.network for one in fits], params.model.average), model := stage.output("model"))
    stage.save("history", histories(fits))
    return summarise(chosen, fits, data, params, file_digest(model))


if __name__ == "__main__":
    run_stage(train)
