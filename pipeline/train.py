"""train: fit the network, or several, and keep the best epoch of each."""

from darkroom.augmentation.contact_sheet import contact_sheet
from darkroom.core.fingerprint import table_digest
from darkroom.core.paths import checkpoint_folder
from darkroom.examples.predictions import answers_table
from darkroom.examples.runtime import start_tensorflow
from darkroom.execution.progress import epoch_verbosity
from darkroom.models.backbones import weights_file_digest
from darkroom.stage import Report, Stage, run_stage
from darkroom.train.checkpoint import locked_checkpoints
from darkroom.train.debug import debug_params
from darkroom.train.ensemble import fit_members, histories, load_folds, measure_members, members, train_on_cluster
from darkroom.train.result import save_combined, summarise


def train(stage: Stage) -> Report:
    """Train with the values that tune found, or those of params.yaml; an interrupted training resumes."""
    tuned, splits = stage.params.overlaid(stage.read("best"), "models/tune/best.yaml"), stage.read("splits")
    stage.run.log_params({f"tuned/{key}": value for key, value in tuned.differences(stage.params).items()})
    params = debug_params(tuned)
    data = load_folds(stage.input("images"), splits, params)
    first = next(iter(data.values()))
    stage.run.log_dataset("splits", table_digest(splits), {name: len(first[name]) for name in first}, "training")
    chosen, weights = members(params, data), stage.input("weights")
    key = stage.cache_key(params, table_digest(splits), weights_file_digest(params.model, weights))
    folder = stage.resources.enter_context(locked_checkpoints(checkpoint_folder(key)))
    trained = train_on_cluster(chosen, data, weights, folder)
    start_tensorflow(params.train.threads)
    stage.run.log_image(contact_sheet(first["train"], params, stage.output("augmented")), "augmented.png")
    fits = fit_members(chosen, data, weights, folder, stage.run.log_metrics, epoch_verbosity(), trained)
    digest = save_combined(fits, params.model.average, stage.output("model"))
    stage.save("history", histories(fits))
    answers = measure_members(chosen, fits, data, params)
    stage.save("validation_answers", answers_table([answers["validation"]]))
    return summarise(fits, answers, params, digest)


if __name__ == "__main__":
    run_stage(train)
