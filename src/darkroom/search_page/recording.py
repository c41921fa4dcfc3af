"""A search in MLflow: a run for each trial and each training with a fresh seed, below the run of tune; its pictures."""

from pathlib import Path
from tempfile import TemporaryDirectory

from darkroom.params.load import Overlay, leaves
from darkroom.search_page.plots import draw_plots
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.trial_runs import Status, TrialRun, record_trial_run
from darkroom.tune.choice import Found
from darkroom.tune.trial import FreshRun, Trial

STATUS: dict[str, Status] = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED", "refused": "FAILED"}
STATE_TAG, REASON_TAG, ROLE_TAG = "state", "reason", "role"
PLOTS = "plots"  # folder of the pictures among the run's files


class Recording:
    """Writes trials below the run `parent`, each of them once, and their scores into its history by number."""

    def __init__(self, parent: RunLogger) -> None:
        self.parent = parent
        self.run_ids: dict[int, str] = {}  # by number

    def add(self, trial: Trial) -> None:
        """Write a trial that ended, unless it is there."""
        if trial.number in self.run_ids:
            return
        self.run_ids[trial.number] = record_trial_run(self.parent, trial_run(trial))
        if trial.scores:
            self.parent.log_metrics(trial.scores, trial.number)

    def finish(self, found: Found) -> None:
        """Write what is not there yet: trials of an earlier process that was stopped, fresh seeds, finalists, plots."""
        for trial in found.trials:
            self.add(trial)
        overlays = {trial.number: trial.drawn.overlay for trial in found.trials}
        for run in found.fresh_runs:
            record_trial_run(self.parent, fresh_run(run, overlays[run.number]))
        for number in sorted({*found.choice.fresh, found.choice.number}):
            with self.parent.guard():
                role = "chosen" if number == found.choice.number else "finalist"
                self.parent.client.set_tag(self.run_ids[number], ROLE_TAG, role)
        with TemporaryDirectory() as folder:
            draw_plots(Path(folder, PLOTS), found)
            self.parent.log_outputs([Path(folder, PLOTS)])


def trial_run(trial: Trial) -> TrialRun:
    """Return what the run of a trial shows."""
    tags = {STATE_TAG: trial.state, REASON_TAG: trial.reason}
    curve = [{name: value for name, value in row.items() if name not in ("epoch", "phase")} for row in trial.curve]
    params, name = leaves(trial.drawn.overlay), f"trial {trial.number}"
    return TrialRun(name, STATUS[trial.state], trial.seconds, params, trial.scores, curve, tags)


def fresh_run(run: FreshRun, overlay: Overlay) -> TrialRun:
    """Return what the run of a training with a fresh seed shows; without scores it has failed."""
    state = "complete" if run.scores else "failed"
    params, name = {**leaves(overlay), "train.seed": run.seed}, f"trial {run.number}, seed {run.seed}"
    return TrialRun(
        name, STATUS[state], run.seconds, params, run.scores, (), {STATE_TAG: state, ROLE_TAG: "fresh seed"}
    )
