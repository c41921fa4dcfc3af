"""train: fit the network, or several, and keep the best epoch of each."""

from darkroom.data.fingerprint import table_digest
from darkroom.files import digest, file_digest, remove
from darkroom.models.augmentation import Variation
from darkroom.models.backbones import given_digest
from darkroom.models.combine import combine
from darkroom.models.contact_sheet import write_contact_sheet
from darkroom.models.saving import save_network
from darkroom.paths import checkpoint_folder
from darkroom.progress import epoch_verbosity
from darkroom.stage import Report, Stage, run_stage
from darkroom.training.debug import debug_params
from darkroom.training.ensemble import fit_members, histories, load_folds, members
from darkroom.training.result import summarise
from darkroom.training.runtime import start_tensorflow


def train(stage: Stage) -> Report:
    """Train with the values that tune found, or those of params.yaml; a training that was stopped goes on."""
    params, splits = stage.params.overlaid(stage.read("best"), "models/tune/best.yaml"), stage.read("splits")
    stage.run.log_params({f"tuned/{key}": value for key, value in params.differences(stage.params).items()})
    params = debug_params(params)
    data = load_folds(stage.input("images"), splits, params)
    first = next(iter(data.values()))
    stage.run.log_dataset("splits", table_digest(splits), {name: len(first[name]) for name in first}, "training")
    start_tensorflow(params.train.threads)
    write_contact_sheet(stage.output("augmented"), first["train"], Variation(params.augment, params.train.seed))
    chosen, weights, model_file = members(params, data), stage.input("weights"), stage.output("model")
    key = digest([stage.code_digest(), table_digest(splits), params.flat(), given_digest(params.model, weights)])
    fits = fit_members(chosen, data, weights, checkpoint_folder(key), stage.run.log_metrics, epoch_verbosity())
    save_network(combine([one.network for one in fits], params.model.average), model_file)
    stage.save("history", histories(fits))
    report = summarise(chosen, fits, data, params, file_digest(model_file))
    remove(checkpoint_folder(key))
    return report


if __name__ == "__main__":
    run_stage(train)
