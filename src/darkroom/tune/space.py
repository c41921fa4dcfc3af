"""The combinations of a search: drawn from `tune.space`, and as the parameters of a short training."""

from typing import TYPE_CHECKING, Any

from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay
from darkroom.params.search import Choices, Range, Tune

if TYPE_CHECKING:
    import optuna


def suggest(trial: "optuna.Trial", tune: Tune) -> Overlay:
    """Draw a value for each key of the space."""
    drawn: Overlay = {}
    for section, keys in sorted(tune.space.items()):
        for key, values in sorted(keys.items()):
            drawn.setdefault(section, {})[key] = _draw(trial, f"{section}.{key}", values)
    return drawn


def _draw(trial: "optuna.Trial", name: str, values: Range | Choices) -> Any:
    if isinstance(values, Choices):
        # a choice may be a list (filters: [32, 64]), which Optuna does not take: draw its place
        return values.choices[trial.suggest_categorical(name, list(range(len(values.choices))))]
    if isinstance(values.low, int) and isinstance(values.high, int) and isinstance(values.step or 1, int):
        return trial.suggest_int(name, values.low, values.high, step=values.step or 1, log=values.log)
    return trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log)


def recorded_overlay(drawn: dict[str, Any], tune: Tune) -> Overlay:
    """Return what Optuna recorded of a trial as {section: {key: value}}."""
    overlay: Overlay = {}
    for name, value in sorted(drawn.items()):
        section, key = name.split(".", 1)
        values = tune.space[section][key]  # type: ignore[index]  # suggest() made the names from the space
        overlay.setdefault(section, {})[key] = values.choices[value] if isinstance(values, Choices) else value
    return overlay


def trial_params(params: DeclaredParams, overlay: Overlay) -> DeclaredParams:
    """Return the parameters of a trial: all parts of a training shrink as `train.epochs` does to `tune.epochs`.

    Raises UserError when they do not go together.
    """
    epochs, train, fine = params.tune.epochs, params.train, params.finetune.epochs
    small = train.small_epochs * epochs // train.epochs
    short: Overlay = {**overlay, "finetune": {"epochs": -(-fine * epochs // train.epochs)}}
    steps = sorted({step * epochs // train.epochs for step in train.step_epochs} - {0})
    short["train"] = {"step_epochs": steps, **overlay.get("train", {}), "epochs": epochs, "small_epochs": small}
    short["tune"] = {"enabled": False, "space": {}}  # else its other values would be checked beside the drawn ones
    return params.overlaid(short, "params.yaml")
