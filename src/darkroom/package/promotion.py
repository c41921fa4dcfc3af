"""Moving the alias champion when several processes, in clones that share a store, may do it at once.

MLflow has no compare-and-swap. So a process claims the place (a tag of its version) before it moves the alias, and
reads all claims after it: of two that move at once, the later one sees the claim of the other. It then gives the place
to the version that would have it had all been judged one after the other, until that one has it.

What remains: an alias that is moved by hand, or by something that claims nothing, in the same instant is overwritten.
"""

from typing import TYPE_CHECKING
from uuid import uuid4

from darkroom.core.errors import UserError
from darkroom.package.gate import Candidate, Verdict, judge
from darkroom.package.registry import GATE_TAG, get_champion, read_candidate, record_verdict
from darkroom.tracking.champion import FACTS_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CLAIM_TAG = f"{GATE_TAG}claim"  # "open <token>" before the alias is moved, "closed <token>" after
ATTEMPTS = 20


def promote(client: "MlflowClient", name: str, number: str, candidate: Candidate, metric: str) -> Verdict:
    """Judge version `number`, record the verdict on it and move the aliases, `champion` after all else.

    What a process that was killed in between has left undone, the next call completes. Raises UserError when the
    champion keeps changing.
    """
    for _ in range(ATTEMPTS):
        settled = {_claim_of(version) for version in _claimants(client, name, "closed")}  # before the champion is read
        current, champion = get_champion(client, name)
        verdict = judge(candidate, champion, metric)
        if _number(current) == number:
            return _finish(client, name, number, verdict)
        if champion and champion.content == candidate.content:  # two have registered it at once
            return verdict
        record_verdict(client, name, number, verdict)
        if not verdict.released:
            client.set_registered_model_alias(name, "challenger", number)
            _close_claim(client, name, number)
            return verdict
        client.set_model_version_tag(name, number, FACTS_TAG, candidate.to_json())
        client.set_model_version_tag(name, number, CLAIM_TAG, f"open {uuid4().hex}")
        if _number(get_champion(client, name)[0]) == _number(current):
            _move(client, name, number, current)
            _elect(client, name, champion, settled, metric)
    raise _unsettled(name)


def _move(client: "MlflowClient", name: str, number: str, current: "ModelVersion | None") -> None:
    if current:
        client.set_registered_model_alias(name, "previous", _number(current))
    client.set_registered_model_alias(name, "champion", number)


def _elect(client: "MlflowClient", name: str, champion: Candidate | None, settled: set[str], metric: str) -> None:
    """Give the place to the best of those that have claimed it since `champion` was read, until it has it."""
    for _ in range(ATTEMPTS):
        best, winner = champion, ""
        for version in _claimants(client, name, "%"):
            rival = read_candidate(version)
            same = best is not None and best.content == rival.content
            if _claim_of(version) not in settled and not same and judge(rival, best, metric).released:
                best, winner = rival, _number(version)
        if winner in ("", _number(get_champion(client, name)[0])):
            return
        client.set_registered_model_alias(name, "champion", winner)
    raise _unsettled(name)


def _finish(client: "MlflowClient", name: str, number: str, verdict: Verdict) -> Verdict:
    """Close the champion's claim, if it is open; return the recorded verdict that made it champion, if there is one."""
    version = client.get_model_version(name, number)
    if str(client.get_registered_model(name).aliases.get("challenger")) == number:
        client.delete_registered_model_alias(name, "challenger")
    _close_claim(client, name, number)
    recorded = Verdict.from_json(version.tags.get(f"{GATE_TAG}verdict", "{}"))
    return recorded if recorded.released else verdict


def _close_claim(client: "MlflowClient", name: str, number: str) -> None:
    state, _, token = client.get_model_version(name, number).tags.get(CLAIM_TAG, "").partition(" ")
    if state == "open":
        client.set_model_version_tag(name, number, CLAIM_TAG, f"closed {token}")


def _claimants(client: "MlflowClient", name: str, state: str) -> list["ModelVersion"]:
    """Return the versions with a claim in this state, in the order in which they were registered."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{CLAIM_TAG}` LIKE '{state} %'")
    return sorted(found, key=lambda version: int(version.version))


def _claim_of(version: "ModelVersion") -> str:
    return str(version.tags[CLAIM_TAG].partition(" ")[2])


def _number(version: "ModelVersion | None") -> str:
    return str(version.version) if version else ""  # MLflow returns an int or a str, depending on the store


def _unsettled(name: str) -> UserError:
    return UserError(f"the champion of {name} keeps changing; run `dvc repro` again", status=1)
