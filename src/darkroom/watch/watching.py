"""The traffic of the champion against the pictures on which it was validated."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.paths import workspace
from darkroom.decision.reference import read_reference
from darkroom.package.version import version_of
from darkroom.params.load import load_params
from darkroom.params.serving import Watch
from darkroom.serving.bundles import open_bundle
from darkroom.traffic.log import TrafficLog, open_log
from darkroom.watch.drift import Check, find_drift
from darkroom.watch.traffic import COLUMNS, Requests, comparable, summarise

FEWEST = 50  # answers, as in params.serving: among fewer, only a large shift would be found


@dataclass(frozen=True)
class Watched:
    """What is found about the traffic of a version; no checks when there are too few answers.

    `reference` and `answers` are tables with the columns of decision.reference.
    """

    version: str
    requests: Requests | None
    reference: pd.DataFrame
    answers: pd.DataFrame
    checks: list[Check]

    @property
    def drifted(self) -> bool:
        """Whether any check says drift."""
        return any(check.drifted for check in self.checks)


def watch_traffic(model: str) -> Watched:
    """Compare the latest answers of `model` ("champion", a version number or a folder); raises UserError."""
    params = load_params(workspace() / "params.yaml")
    with open_bundle(model) as bundle:
        version = version_of(bundle)
        reference = _reference(bundle, version)
    return compare(reference, version, open_log(params.ab), params.watch)


def compare(reference: pd.DataFrame, version: str, log: TrafficLog, params: Watch) -> Watched:
    """Compare the latest answers of `version` in the log with `reference`."""
    rows = log.read(params.pictures, COLUMNS, version)
    answers = comparable(rows)
    enough = len(answers) >= FEWEST
    checks = find_drift(reference, answers, params.false_alarms, params.seed) if enough else []
    return Watched(version, summarise(rows) if len(rows) else None, reference, answers, checks)


def _reference(bundle: Path, version: str) -> pd.DataFrame:
    try:
        return read_reference(bundle / "decision")
    except FileNotFoundError:
        raise UserError(
            f"version {version} has no reference pictures: it was packaged by an older state of darkroom; "
            "run `make repro` to package it anew"
        ) from None
