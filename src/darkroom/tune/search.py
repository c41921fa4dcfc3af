"""The search for hyper-parameters: seeded, resumable after a kill, the same result either way."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.metrics import METRICS
from darkroom.execution.locks import locked
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay
from darkroom.params.schema import Choices, Range, Tune

if TYPE_CHECKING:
    import optuna

Objective = Callable[[DeclaredParams], float]
OnTrial = Callable[[int, float], None]
RANDOM_TRIALS = 3  # before the sampler begins to learn from them


def search(
    params: DeclaredParams, objective: Objective, journal: Path, on_trial: OnTrial
) -> tuple[Overlay, pd.DataFrame]:
    """Try `tune.trials` combinations of the space; return the best as an overlay, and a row for each trial.

    Finished trials are kept in `journal`, so a search that was stopped goes on behind the last one. Each trial
    draws with a sampler seeded by its number among the finished ones: stopped or not, the same combinations come.
    TPE: Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011, as Optuna implements it.
    """
    tune = params.tune
    journal.parent.mkdir(parents=True, exist_ok=True)
    with locked(Path(f"{journal}.used")):  # two experiments with the same search would mix their trials
        trials = _finish_trials(params, objective, journal, on_trial)
    best = sorted(trials, key=lambda trial: trial.value, reverse=not METRICS[tune.metric].lower_is_better)[0]
    return _overlay(best.params, tune), _trial_table(trials, tune)


def _finish_trials(params: DeclaredParams, objective: Objective, journal: Path, on_trial: OnTrial) -> list[Any]:
    """Run the trials that the journal lacks; return all."""
    import optuna

    tune = params.tune
    study = _open_study(journal, tune)
    while (done := len(finished(study))) < tune.trials:
        study.sampler = optuna.samplers.TPESampler(
            seed=_seed_of(tune.seed, done),
            n_startup_trials=RANDOM_TRIALS,
            constant_liar=False,  # else a trial that was killed, and stays "running", moves the next ones
        )
        trial = study.ask()
        overlay = suggest(trial, tune)
        score = _score(params, overlay, objective)
        study.tell(trial, score)
        on_trial(done + 1, score)
    return finished(study)[: tune.trials]


def _score(params: DeclaredParams, overlay: Overlay, objective: Objective) -> float:
    """Return the score of a combination; the worst there is when it makes no network."""
    try:
        candidate = _for_trial(params, overlay)
    except UserError as error:
        print(f"tune: passed over {overlay}: {error}", flush=True)
        return METRICS[params.tune.metric].worst
    return objective(candidate)


def suggest(trial: "optuna.Trial", tune: Tune) -> Overlay:
    """Draw a value for each key of the space."""
    drawn: Overlay = {}
    for section, keys in sorted(tune.space.items()):
        for key, values in sorted(keys.items()):
            drawn.setdefault(section, {})[key] = _draw(trial, f"{section}.{key}", values)
    return drawn


def finished(study: "optuna.Study") -> list[Any]:
    """Return the completed trials; one that was killed is not among them and is tried again."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _open_study(journal: Path, tune: Tune) -> "optuna.Study":
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _cut_torn_line(journal)
    return optuna.create_study(
        study_name="tune",
        storage=optuna.storages.JournalStorage(JournalFileBackend(str(journal))),
        direction="minimize" if METRICS[tune.metric].lower_is_better else "maximize",
        load_if_exists=True,
    )


def _cut_torn_line(journal: Path) -> None:
    """Take away a last line that a crash or a full disk left unfinished; Optuna could not read beyond it."""
    content = journal.read_bytes() if journal.exists() else b""
    if not content.endswith(b"\n"):
        journal.write_bytes(content[: content.rfind(b"\n") + 1])


def _draw(trial: "optuna.Trial", name: str, values: Range | Choices) -> Any:
    if isinstance(values, Choices):
        # a choice may be a list (filters: [32, 64]), which Optuna does not take: draw its place
        return values.choices[trial.suggest_categorical(name, list(range(len(values.choices))))]
    if isinstance(values.low, int) and isinstance(values.high, int) and isinstance(values.step or 1, int):
        return trial.suggest_int(name, values.low, values.high, step=values.step or 1, log=values.log)
    return trial.suggest_float(name, values.low, values.high, step=values.step, log=values.log)


def _seed_of(seed: int, done: int) -> int:
    return int(sha256(f"{seed}:{done}".encode()).hexdigest()[:8], 16)


def _for_trial(params: DeclaredParams, overlay: Overlay) -> DeclaredParams:
    """Return the parameters of a trial: all parts of a training shrink as `train.epochs` does to `tune.epochs`."""
    epochs, train, fine = params.tune.epochs, params.train, params.finetune.epochs
    small = train.small_epochs * epochs // train.epochs
    short: Overlay = {**overlay, "finetune": {"epochs": -(-fine * epochs // train.epochs)}}
    steps = sorted({step * epochs // train.epochs for step in train.step_epochs} - {0})
    short["train"] = {"step_epochs": steps, **overlay.get("train", {}), "epochs": epochs, "small_epochs": small}
    return params.overlaid(short, "params.yaml")


def _overlay(drawn: dict[str, Any], tune: Tune) -> Overlay:
    """Return what Optuna recorded of a trial as {section: {key: value}}."""
    overlay: Overlay = {}
    for name, value in sorted(drawn.items()):
        section, key = name.split(".", 1)
        values = tune.space[section][key]  # type: ignore[index]  # suggest() made the names from the space
        overlay.setdefault(section, {})[key] = values.choices[value] if isinstance(values, Choices) else value
    return overlay


def _trial_table(trials: list[Any], tune: Tune) -> pd.DataFrame:
    """Return a row for each finished trial: its number from 1, the score, a column for each key of the space."""
    rows = []
    for number, trial in enumerate(trials, start=1):
        overlay = _overlay(trial.params, tune)
        keys = {f"{section}.{key}": value for section, values in overlay.items() for key, value in values.items()}
        rows.append({"trial": number, tune.metric: trial.value, **keys})
    return pd.DataFrame(rows)
