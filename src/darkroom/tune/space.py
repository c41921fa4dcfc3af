"""The combinations of a search: drawn from `tune.space`, and as the parameters of a short training."""

from typing import TYPE_CHECKING, Any

from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay
from darkroom.params.search import Choices, Range, Tune
from darkroom.params.space import exact, in_order, inside, is_whole

if TYPE_CHECKING:
    import optuna


def suggest(trial: "optuna.Trial", tune: Tune, current: dict[str, Any]) -> Overlay:
    """Draw a value for each key of the space whose `when` holds; the others keep the value of params.yaml.

    `current` are the values of params.yaml by "section.key", at least those of the searched keys.
    """
    drawn: dict[str, Any] = {}
    for name, values in in_order(tune):
        if holds(values, {**current, **drawn}):
            drawn[name] = _key_value(values, _draw(trial, name, values))
    return _nested(drawn)


def holds(values: Range | Choices, current: dict[str, Any]) -> bool:
    """Tell whether a key is drawn, given values of the others."""
    # a key that is neither searched nor in `current` was checked with the file
    return all(current[name] in allowed for name, allowed in values.when.items() if name in current)


def _draw(trial: "optuna.Trial", name: str, values: Range | Choices) -> Any:
    """Return what Optuna draws: a number, or the text of a choice."""
    if isinstance(values, Choices):
        return trial.suggest_categorical(name, _texts(values))
    if is_whole(values):
        return trial.suggest_int(name, int(values.low), _last(values), step=int(values.step or 1), log=values.log)
    return trial.suggest_float(name, values.low, _last(values), step=values.step, log=values.log)


def distribution(values: Range | Choices) -> "optuna.distributions.BaseDistribution":
    """Return what `suggest` draws a key from, in Optuna's terms; the choices are their texts, of lists too."""
    from optuna import distributions

    if isinstance(values, Choices):
        return distributions.CategoricalDistribution(_texts(values))
    if is_whole(values):
        return distributions.IntDistribution(int(values.low), _last(values), values.log, int(values.step or 1))
    return distributions.FloatDistribution(values.low, _last(values), values.log, values.step)


def drawn_from(tune: Tune, current: dict[str, Any]) -> dict[str, Any]:
    """Return the values of params.yaml as Optuna would have drawn them; empty when one lies outside the space."""
    searched = [(name, values) for name, values in in_order(tune) if holds(values, current)]
    if not all(inside(values, current[name]) for name, values in searched):
        return {}
    return {name: _drawn_value(values, current[name]) for name, values in searched}


def recorded_overlay(drawn: dict[str, Any], tune: Tune) -> Overlay:
    """Return what Optuna recorded of a trial as {section: {key: value}}."""
    space = dict(in_order(tune))
    return _nested({name: _key_value(space[name], value) for name, value in drawn.items()})


def trial_params(params: DeclaredParams, overlay: Overlay) -> DeclaredParams:
    """Return the parameters of a trial: all parts of a training shrink as `train.epochs` does to `tune.epochs`.

    Raises UserError when they do not go together, in the short training or in the whole one.
    """
    params.overlaid(overlay, "params.yaml")
    epochs, train, fine = params.tune.epochs, params.train, params.finetune.epochs
    drawn = overlay.get("train", {})
    steps = {step * epochs // train.epochs for step in drawn.get("step_epochs", train.step_epochs)} - {0}
    small = train.small_epochs * epochs // train.epochs
    short = {"epochs": epochs, "small_epochs": small, "step_epochs": sorted(steps)}
    fine_tuned = {**overlay.get("finetune", {}), "epochs": -(-fine * epochs // train.epochs)}
    return params.overlaid({**overlay, "train": {**drawn, **short}, "finetune": fine_tuned}, "params.yaml")


def _texts(values: Choices) -> list[str]:
    """Return the choices as texts: Optuna takes no lists, such as those of model.filters."""
    return [str(choice) for choice in values.choices]


def _key_value(values: Range | Choices, drawn: Any) -> Any:
    if isinstance(values, Choices):
        return values.choices[_texts(values).index(drawn)]
    return round(drawn, 12) if values.step else drawn  # not 0.30000000000000004


def _drawn_value(values: Range | Choices, value: Any) -> Any:
    return _texts(values)[values.choices.index(value)] if isinstance(values, Choices) else value


def _last(values: Range) -> Any:
    """Return the highest number that steps from `low` reach; Optuna would warn of another `high`."""
    if values.step is None:
        return values.high
    last = exact(values.high) - (exact(values.high) - exact(values.low)) % exact(values.step)
    return int(last) if is_whole(values) else float(last)


def _nested(values: dict[str, Any]) -> Overlay:
    overlay: Overlay = {}
    for name, value in sorted(values.items()):
        section, key = name.split(".", 1)
        overlay.setdefault(section, {})[key] = value
    return overlay
