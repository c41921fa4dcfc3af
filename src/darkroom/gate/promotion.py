"""Moving the alias champion when several processes, in clones that share a store, may do it at once.

MLflow has no compare-and-swap. So a process claims the place (a tag of its version that names the champion it was
judged against) before it moves the alias, and reads all claims after it: of two that move at once, the later one sees
the claim of the other. All of them then agree on the one with the best score, and the others are judged again, now
against that one: the end is as if they had been judged one after the other. One that comes while an election goes on
waits for its end, so as not to be judged against a version that loses it a moment later.

What remains: an alias that is moved by hand, or by something that claims nothing, in the same instant is overwritten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.gate.claims import claim, claimants, close_claim, elected, is_open, judged_against, token_of
from darkroom.gate.verdict import Candidate, Verdict
from darkroom.gate.versions import (
    aliases_of,
    get_champion,
    number_of,
    read_verdict,
    record_verdict,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

ATTEMPTS = 20
LOOKS, PAUSE = 20, 0.25  # seconds between looks at an election that goes on


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
        closed, current, champion = _look(client, name, number)
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
        claim(client, name, number, contender.candidate, number_of(current))
        if number_of(get_champion(client, name)[0]) == number_of(current):
            take_place(client, name, number, number_of(current))
            if number in _elect(client, name, number_of(current), closed, metric):
                return _finish(client, name, contender, verdict)
    raise _unsettled(name)


def _look(client: "MlflowClient", name: str, number: str) -> tuple[set[str], "ModelVersion | None", Candidate | None]:
    """Return the claims that are closed, and the champion once its own is.

    Before, its election goes on, and another may win; after a few seconds without an end its process was killed.
    """
    for look in range(LOOKS):
        closed = {token_of(version) for version in claimants(client, name, "closed")}  # before the champion is read
        current, champion = get_champion(client, name)
        if current is None or number_of(current) == number or not is_open(current) or look == LOOKS - 1:
            break
        sleep(PAUSE)
    return closed, current, champion


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
    """Give the place to the last of those who win it one after another (`elected`); return all of them."""
    for _ in range(ATTEMPTS):
        winners = elected(claimants(client, name, "%"), before, closed, metric)
        *_, loser, winner = winners
        aliases = aliases_of(client, name)
        if aliases.get("champion") == winner and loser in ("", aliases.get("previous")):
            return winners
        take_place(client, name, winner, loser)
    raise _unsettled(name)


def _finish(client: "MlflowClient", name: str, contender: Contender, verdict: Verdict) -> Verdict:
    """Complete the release of a version that has become champion, if a killed process has not; return why it is."""
    aliases, number = aliases_of(client, name), contender.number
    if aliases.get("challenger") == number:
        client.delete_registered_model_alias(name, "challenger")
    version = client.get_model_version(name, number)
    recorded = read_verdict(version)
    if is_open(version) and recorded and recorded.released:
        verdict, before = recorded, judged_against(version)
        if aliases.get("champion") == number and aliases.get("previous", "") != before != "":
            set_alias(client, name, "previous", before)  # it won against an earlier one, and was judged again since
    contender.describe(verdict)
    close_claim(client, name, number)
    return verdict


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
