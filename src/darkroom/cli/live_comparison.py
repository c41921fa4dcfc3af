"""What `darkroom ab` does: reads the log of traffic, compares, prints and, when asked, moves the aliases."""

import sys

from darkroom.core.paths import workspace
from darkroom.params.load import load_params
from darkroom.params.schema import Params
from darkroom.traffic.comparison import COMPARED, compare
from darkroom.traffic.log import open_log
from darkroom.traffic.registry import apply_decision, compared_versions
from darkroom.traffic.report import report_lines, waiting_requests


def compare_versions(apply: bool) -> int:
    """Print the report; with `apply` do what it decides. Returns 0; raises UserError."""
    params = _params()
    name, chosen = params.package.name, params.ab
    champion, challenger = compared_versions(name)
    found = compare(open_log(chosen).read(columns=COMPARED), champion, challenger, chosen)
    print("\n".join(report_lines(found, chosen)))
    if apply and found.decision != "go on":
        print(apply_decision(name, found))
    return 0


def print_waiting() -> int:
    """Print the requests that wait for an outcome, as CSV. Returns 0; raises UserError."""
    params = _params()
    answers = open_log(params.ab).read(columns=COMPARED)
    waiting_requests(answers, *compared_versions(params.package.name)).to_csv(sys.stdout, index=False)
    return 0


def _params() -> Params:
    return load_params(workspace() / "params.yaml")
