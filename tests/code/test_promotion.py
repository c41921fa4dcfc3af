"""One champion, however many processes move the alias at once, and whenever one of them is killed."""

from collections.abc import Callable
from typing import Any

import pytest
from mlflow import MlflowClient

from darkroom.gate import promotion
from darkroom.gate.verdict import Candidate
from darkroom.gate.versions import aliases_of, get_champion, read_verdict
from registry import add_version, release

Versions = list[tuple[str, Candidate]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no election: here it goes on only when this one is over."""
    monkeypatch.setattr(promotion, "LOOKS", 1)


READS = ("search_model_versions", "get_model_version_by_alias", "set_registered_model_alias")
WRITES = (
    "set_model_version_tag",
    "set_registered_model_alias",
    "delete_registered_model_alias",
    "update_model_version",
)


class Interrupted(MlflowClient):
    """A client for which something else happens before the call number `at` of those in `calls`."""

    def __init__(self, uri: str, calls: tuple[str, ...], at: int, other: Callable[[], Any]) -> None:
        super().__init__(uri, uri)
        self.calls, self.left, self.other = calls, at, other

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name in (*READS, *WRITES) and name in self.calls:
            self.left -= 1
            if self.left == -1:
                self.other()
        return value


def some(calls: int, quick: set[int]) -> list[Any]:
    """Return the numbers of calls; those that are not quick are left to the slow tests."""
    return [pytest.param(at, marks=() if at in quick else pytest.mark.slow) for at in range(calls)]


def one_after_the_other(scores: tuple[float, float], order: tuple[int, int]) -> dict[str, str]:
    """Return the aliases after version 1 (0.5) is champion and versions 2 and 3 have been judged in this order."""
    aliases, best = {"champion": "1"}, 0.5
    for which in order:
        number = str(which + 2)
        if scores[which] >= best - 0.05:
            aliases |= {"previous": aliases["champion"], "champion": number}
            best = scores[which]
        else:
            aliases["challenger"] = number
    return aliases


@pytest.mark.parametrize("at", some(6, {2, 5}))
@pytest.mark.parametrize("scores", [(0.7, 0.9), (0.9, 0.7), pytest.param((0.9, 0.9001), marks=pytest.mark.slow)])
def test_the_end_is_as_if_one_clone_had_come_after_the_other(
    client: MlflowClient, uri: str, at: int, scores: tuple[float, float]
) -> None:
    name = f"two-{at}-{scores[0]}-{scores[1]}"
    client.create_registered_model(name)
    release(client, name, *add_version(client, name, 0.5))
    first, second = (add_version(client, name, score) for score in scores)
    interrupted = Interrupted(uri, READS, at, lambda: release(client, name, *second))
    release(interrupted, name, *first)
    assert interrupted.left < 0
    found = aliases_of(client, name)
    assert found in [one_after_the_other(scores, order) for order in ((0, 1), (1, 0))]
    champion = client.get_model_version(name, found["champion"])
    verdict = read_verdict(champion)
    assert verdict and verdict.released and champion.description == "Card: True"


@pytest.mark.parametrize("at", some(3, {1}))
def test_of_two_first_models_with_other_classes_one_is_a_challenger(client: MlflowClient, uri: str, at: int) -> None:
    name = f"first-{at}"
    client.create_registered_model(name)
    first, second = add_version(client, name, 0.5), add_version(client, name, 0.9, classes=["a", "b"])
    release(Interrupted(uri, READS, at + 2, lambda: release(client, name, *second)), name, *first)
    kept = aliases_of(client, name)
    release(client, name, *(second if kept["champion"] == first[0] else first))
    assert aliases_of(client, name)["champion"] == kept["champion"]


@pytest.mark.parametrize("at", some(15, {9, 13}))
def test_what_a_killed_process_left_is_completed_and_a_champion_has_its_card(
    client: MlflowClient, uri: str, at: int
) -> None:
    name = f"killed-{at}"
    client.create_registered_model(name)
    old = add_version(client, name, 0.5)
    release(client, name, *old)
    new = add_version(client, name, 0.9)

    def kill() -> None:
        raise KeyboardInterrupt

    killed = Interrupted(uri, WRITES, at, kill)
    with pytest.raises(KeyboardInterrupt):
        release(killed, name, *new)
    if aliases_of(client, name)["champion"] == new[0]:
        version = client.get_model_version(name, new[0])
        assert version.tags["darkroom.gate.released"] == "true" and version.description == "Card: True"
    verdict = release(client, name, *new)
    assert verdict.released and "significantly better than the champion's: +0.4000" in verdict.reasons[0]
    assert aliases_of(client, name) == {"champion": new[0], "previous": old[0]}


def test_a_release_that_was_given_up_long_ago_wins_no_later_election(client: MlflowClient, uri: str) -> None:
    client.create_registered_model("late")
    release(client, "late", *add_version(client, "late", 0.5))
    given_up = add_version(client, "late", 0.99)

    def kill() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # after its claim, before the alias moves
        release(Interrupted(uri, ("set_registered_model_alias",), 0, kill), "late", *given_up)
    client.set_registered_model_alias("late", "champion", add_version(client, "late", 0.7)[0])
    later = add_version(client, "late", 0.8)
    assert release(client, "late", *later).released
    assert aliases_of(client, "late")["champion"] == later[0]


def test_a_champion_from_elsewhere_is_not_replaced_unseen(client: MlflowClient) -> None:
    client.create_registered_model("elsewhere")
    version = client.create_model_version("elsewhere", "file:///nowhere")
    client.set_registered_model_alias("elsewhere", "champion", version.version)
    assert get_champion(client, "elsewhere")[1] == Candidate()
    verdict = release(client, "elsewhere", *add_version(client, "elsewhere", 0.9))
    assert verdict.manual and "other classes (not recorded)" in verdict.reasons[0]


def test_a_debug_run_answers_no_user_as_a_challenger_either(client: MlflowClient) -> None:
    client.create_registered_model("debug")
    release(client, "debug", *add_version(client, "debug", 0.5))
    assert not release(client, "debug", *add_version(client, "debug", 0.9, debug=True)).released
    assert aliases_of(client, "debug") == {"champion": "1"}
