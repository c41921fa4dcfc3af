"""train: fit the network and keep its best epoch."""

from darkroom.data.fingerprint import table_digest
from darkroom.data.pixels import load_examples
from darkroom.data.workers import worker_pool
from darkroom.files import file_digest
from darkroom.models.saving import save_network
from darkroom.progress import epoch_verbosity
from darkroom.stage import Report, Stage, run_stage
from darkroom.training.fit import fit
from darkroom.training.result import summarise
from darkroom.training.runtime import start_tensorflow


def train(stage: Stage) -> Report:
    """Train with the values that tune found, or those of params.yaml."""
    params = stage.params.overlaid(stage.read("best"), "models/tune/best.yaml")
    splits = stage.read("splits")
    with worker_pool() as pool:
        data = load_examples(stage.input("images"), splits, params.image, ("train", "validation"), pool)
    counts = {name: len(part) for name, part in data.items()}
    stage.run.log_dataset("splits", table_digest(splits), counts, "training")
    stage.run.log_params({f"tuned/{key}": value for key, value in params.differences(stage.params).items()})
    start_tensorflow(params.train.threads)
    fitted = fit(data, params, stage.run.log_metrics, epoch_verbosity())
    model = stage.output("model")
    save_network(fitted.network, model)
    stage.save("history", fitted.history)
    return summarise(fitted, data, params, file_digest(model))


if __name__ == "__main__":
    run_stage(train)
