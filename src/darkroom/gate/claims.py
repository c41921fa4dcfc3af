"""Claims to the place of the champion, tags of versions, and who wins an election among them."""

from typing import TYPE_CHECKING
from uuid import uuid4

from darkroom.core.metrics import METRICS
from darkroom.gate.verdict import Candidate
from darkroom.gate.versions import GATE_TAG, number_of, read_candidate
from darkroom.tracking.champion import FACTS_TAG

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CLAIM_TAG = f"{GATE_TAG}claim"  # "open <token> <champion>" before the alias is moved, "closed ..." after


def claim(client: "MlflowClient", name: str, number: str, candidate: Candidate, champion: str) -> None:
    """Let the elections to come see a version, and that it was judged against this champion, "" for none."""
    client.set_model_version_tag(name, number, FACTS_TAG, candidate.to_json())
    client.set_model_version_tag(name, number, CLAIM_TAG, f"open {uuid4().hex} {champion}")


def close_claim(client: "MlflowClient", name: str, number: str) -> None:
    """Take a version out of the elections to come."""
    state, _, rest = client.get_model_version(name, number).tags.get(CLAIM_TAG, "").partition(" ")
    if state == "open":
        client.set_model_version_tag(name, number, CLAIM_TAG, f"closed {rest}")


def claimants(client: "MlflowClient", name: str, state: str) -> list["ModelVersion"]:
    """Return the versions with a claim in this state."""
    return list(client.search_model_versions(f"name = '{name}' and tags.`{CLAIM_TAG}` LIKE '{state} %'"))


def is_open(version: "ModelVersion") -> bool:
    """Return whether a version claims the place, and its process has not found out yet whether it has won."""
    return str(version.tags.get(CLAIM_TAG, "")).startswith("open ")


def token_of(version: "ModelVersion") -> str:
    """Return what tells a claim from every other one, of the same version too."""
    return str(version.tags[CLAIM_TAG].split(" ")[1])


def judged_against(version: "ModelVersion") -> str:
    """Return the number of the champion that a claimant was judged against, "" for none."""
    return "".join(version.tags[CLAIM_TAG].split(" ")[2:])


def elected(versions: list["ModelVersion"], before: str, closed: set[str], metric: str) -> list[str]:
    """Return the champion before all the claims that are not `closed`, and who wins the place from whom since.

    That is the best of those that were judged against it, then the best of those judged against that one, and so on.
    `before` is the champion that one claim names; it may itself have claimed the place a moment ago, and lost it.
    """
    left = {number_of(version): version for version in versions if token_of(version) not in closed}
    seen = set[str]()
    while before in left and before not in seen:
        seen.add(before)
        before = judged_against(left[before])
    winners = [before]
    while rivals := [version for version in left.values() if judged_against(version) == winners[-1]]:
        best = max(rivals, key=lambda version: (_goodness(version, metric), -int(version.version)))
        left = {number: version for number, version in left.items() if version not in rivals}
        winners.append(number_of(best))
    return winners


def _goodness(version: "ModelVersion", metric: str) -> float:
    score = read_candidate(version).score(metric)
    if score is None:
        return float("-inf")
    return -score if METRICS[metric].lower_is_better else score
