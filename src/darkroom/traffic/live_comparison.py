"""What `darkroom ab` does: reads the log of traffic, compares, prints and, when asked, moves the aliases."""

import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.core.files import replacing
from darkroom.core.paths import workspace
from darkroom.images.suffixes import suffix_of
from darkroom.params.load import load_params
from darkroom.params.schema import Params
from darkroom.traffic.comparison import COMPARED, compare
from darkroom.traffic.log import TrafficLog, open_log
from darkroom.traffic.registry import apply_decision, compared_versions
from darkroom.traffic.report import report_lines, waiting_requests

CUT_OFF = (
    "answers of this challenger are gone from the log, and of what is left e-value and intervals say nothing certain; "
    "raise ab.log_rows, name a new log in DARKROOM_TRAFFIC_URI or move the old one away, and begin anew"
)


def compare_versions(apply: bool) -> int:
    """Print the report; with `apply` do what it decides. Returns 0; raises UserError."""
    params = _params()
    name, chosen = params.package.name, params.ab
    champion, challenger = compared_versions(name)
    log = open_log(chosen)
    found = compare(log.read(columns=COMPARED), champion, challenger, chosen)
    if log.has_cut_off(challenger):
        found = replace(found, decision="go on", reason=CUT_OFF)
    print("\n".join(report_lines(found, chosen)))
    if apply and found.decision != "go on":
        print(apply_decision(name, found))
    return 0


def print_waiting(pictures: Path | None = None) -> int:
    """Print the requests that wait for an outcome, as CSV, and save those of their pictures that the log has.

    The column `picture` then names the file in the folder `pictures`. Returns 0; raises UserError.
    """
    params = _params()
    log = open_log(params.ab)
    table = waiting_requests(log.read(columns=COMPARED), *compared_versions(params.package.name))
    if pictures:
        try:
            table["picture"] = [_save_picture(log, request, pictures) for request in table["request"]]
        except OSError as error:
            raise UserError(f"--pictures {pictures}: cannot be written: {error.strerror or error}") from None
    table.to_csv(sys.stdout, index=False)
    return 0


def _save_picture(log: TrafficLog, request: str, folder: Path) -> str | None:
    """Save the picture of a request; return the name of its file, its digest: a request's key could be any path."""
    data = log.picture(request)
    if not data:
        return None
    name = sha256(data).hexdigest() + suffix_of(data)
    with replacing(folder / name) as temporary:
        temporary.write_bytes(data)
    return name


def _params() -> Params:
    return load_params(workspace() / "params.yaml")
