"""Moving the alias champion when several processes, in clones that share a store, may do it at once.

MLflow has no compare-and-swap. So a process claims the place (a tag of its version that names the champion it was
judged against) before it moves the alias, and reads all claims after it: of two that move at once, the later one sees
the claim of the other. All of them then agree on the one with the best score, and the others are judged again, now
against that one: the end is as if they had been judged one after the other.

What remains: an alias that is moved by hand, or by something that claims nothing, in the same instant is overwritten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from darkroom.core.errors import UserError
from darkroom.core.metrics import METRICS
from darkroom.gate.verdict import Candidate, Verdict
from darkroom.gate.versions import (
    GATE_TAG,
    aliases_of,
    get_champion,
    number_of,
    read_candidate,
    read_verdict,
    record_verdict,
)
from darkroom.tracking.champion import FACTS_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CLAIM_TAG = f"{GATE_TAG}claim"  # "open <token> <champion>" before the alias is moved, "closed ..." after
ATTEMPTS = 20


@dataclass(frozen=True)
class Contender:
    """A registered version that is to be judged.

    `judge` compares it with a champion (None: there is none); `describe` writes the verdict for people, on the
    version's and the pipeline's pages.
    """

    number: str
    candidate: Candidate
    judge: Callable[["ModelVersion | None"], Verdict]
    describe: Callable[[Verdict], None]


def promote(client: "MlflowClient", name: str, contender: Contender, metric: str) -> Verdict:
    """Judge a version, write everything on it and move the aliases, `champion` last of all.

    What a process that was killed in between has left undone, the next call completes. Raises UserError when the
    champion keeps changing.
    """
    number = contender.number
    for _ in range(ATTEMPTS):
        closed = {_token(version) for version in _claimants(client, name, "closed")}  # before the champion is read
        current, champion = get_champion(client, name)
        verdict = contender.judge(current)
        if number_of(current) == number:
            return _finish(client, name, contender, verdict)
        if champion and champion.content == contender.candidate.content:  # two have registered it at once
            contender.describe(verdict)
            return verdict
        record_verdict(client, name, number, contender.candidate, verdict)
        contender.describe(verdict)
        if not verdict.released:
            return _turn_down(client, name, contender, verdict)
        _claim(client, name, contender, number_of(current))
        if number_of(get_champion(client, name)[0]) == number_of(current):
            take_place(client, name, number, number_of(current))
            if number in _elect(client, name, number_of(current), closed, metric):
                return _finish(client, name, contender, verdict)
    raise _unsettled(name)


def _claim(client: "MlflowClient", name: str, contender: Contender, champion: str) -> None:
    """Let the elections to come see a version, and that it was judged against this champion, "" for none."""
    client.set_model_version_tag(name, contender.number, FACTS_TAG, contender.candidate.to_json())
    client.set_model_version_tag(name, contender.number, CLAIM_TAG, f"open {uuid4().hex} {champion}")


def _turn_down(client: "MlflowClient", name: str, contender: Contender, verdict: Verdict) -> Verdict:
    """Make a version that is not released the challenger, unless it comes from a debug run: users may get to see it."""
    if not contender.candidate.debug:
        set_alias(client, name, "challenger", contender.number)
    close_claim(client, name, contender.number)
    return verdict


def take_place(client: "MlflowClient", name: str, number: str, before: str) -> None:
    """Make a version the champion and the one `before` it, "" for none, the previous."""
    if before:
        set_alias(client, name, "previous", before)
    elif aliases_of(client, name).get("previous") == number:
        client.delete_registered_model_alias(name, "previous")
    set_alias(client, name, "champion", number)


def _elect(client: "MlflowClient", name: str, before: str, closed: set[str], metric: str) -> list[str]:
    """Give the place to the last of those who win it one after another (`_winners`); return all of them."""
    for _ in range(ATTEMPTS):
        winners = _winners(_claimants(client, name, "%"), before, closed, metric)
        *_, loser, winner = winners
        aliases = aliases_of(client, name)
        if aliases.get("champion") == winner and loser in ("", aliases.get("previous")):
            return winners
        take_place(client, name, winner, loser)
    raise _unsettled(name)


def _winners(versions: list["ModelVersion"], before: str, closed: set[str], metric: str) -> list[str]:
    """Return the champion before all the claims that are not `closed`, and who wins the place from whom since.

    That is the best of those that were judged against it, then the best of those judged against that one, and so on.
    `before` is the champion that one claim names; it may itself have claimed the place a moment ago, and lost it.
    """
    left = {number_of(version): version for version in versions if _token(version) not in closed}
    seen = set[str]()
    while before in left and before not in seen:
        seen.add(before)
        before = _judged_against(left[before])
    winners = [before]
    while rivals := [version for version in left.values() if _judged_against(version) == winners[-1]]:
        best = max(rivals, key=lambda version: (_goodness(version, metric), -int(version.version)))
        left = {number: version for number, version in left.items() if version not in rivals}
        winners.append(number_of(best))
    return winners


def _goodness(version: "ModelVersion", metric: str) -> float:
    score = read_candidate(version).score(metric)
    if score is None:
        return float("-inf")
    return -score if METRICS[metric].lower_is_better else score


def _finish(client: "MlflowClient", name: str, contender: Contender, verdict: Verdict) -> Verdict:
    """Complete the release of a version that has become champion, if a killed process has not; return why it is."""
    if aliases_of(client, name).get("challenger") == contender.number:
        client.delete_registered_model_alias(name, "challenger")
    version = client.get_model_version(name, contender.number)
    recorded = read_verdict(version)
    if recorded and recorded.released and version.tags.get(CLAIM_TAG, "").startswith("open"):
        verdict = recorded
    contender.describe(verdict)
    close_claim(client, name, contender.number)
    return verdict


def close_claim(client: "MlflowClient", name: str, number: str) -> None:
    """Take a version out of the elections to come."""
    state, _, rest = client.get_model_version(name, number).tags.get(CLAIM_TAG, "").partition(" ")
    if state == "open":
        client.set_model_version_tag(name, number, CLAIM_TAG, f"closed {rest}")


def _claimants(client: "MlflowClient", name: str, state: str) -> list["ModelVersion"]:
    """Return the versions with a claim in this state."""
    return list(client.search_model_versions(f"name = '{name}' and tags.`{CLAIM_TAG}` LIKE '{state} %'"))


def _token(version: "ModelVersion") -> str:
    return str(version.tags[CLAIM_TAG].split(" ")[1])


def _judged_against(version: "ModelVersion") -> str:
    """Return the number of the champion that a claimant was judged against, "" for none."""
    return "".join(version.tags[CLAIM_TAG].split(" ")[2:])


def _unsettled(name: str) -> UserError:
    return UserError(f"the champion of {name} keeps changing; run `dvc repro` again", status=1)


def set_alias(client: "MlflowClient", name: str, alias: str, number: str) -> None:
    """Give the alias to version `number`.

    Where it is new, MLflow looks for it and then inserts it; of two processes that do so at once the database refuses
    one, which finds it there the second time.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.set_registered_model_alias(name, alias, number)
    except MlflowException:
        client.set_registered_model_alias(name, alias, number)
