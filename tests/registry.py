"""Registered versions without a model, for tests of what happens to them."""

from typing import Any

from mlflow import MlflowClient

from darkroom.gate.promotion import Contender, promote
from darkroom.gate.verdict import Candidate, Comparison, Verdict, judge
from darkroom.gate.versions import read_candidate
from darkroom.tracking.champion import FACTS_TAG

MARGIN = 0.05  # half the interval of every difference in these tests: beyond it lies a significant one


def add_version(client: MlflowClient, name: str, accuracy: float, **facts: Any) -> tuple[str, Candidate]:
    known: dict[str, Any] = {"content": f"{name} {accuracy}", "network": f"{accuracy}", "classes": ["a"], "data": "d"}
    candidate = Candidate(**known | facts, scores={"validation": {"accuracy": accuracy}})
    version = client.create_model_version(name, "s3://nowhere/model", tags={FACTS_TAG: candidate.to_json()})
    return str(version.version), candidate


def contender(client: MlflowClient, name: str, number: str, candidate: Candidate) -> Contender:
    def judge_against(champion: Any) -> Verdict:
        other = read_candidate(champion) if champion else None
        gain = (candidate.score("accuracy") or 0) - ((other and other.score("accuracy")) or 0)
        return judge(candidate, other, [], Comparison("accuracy", 100, gain, (gain - MARGIN, gain + MARGIN)))

    def describe(verdict: Verdict) -> None:
        client.update_model_version(name, number, f"Card: {verdict.released}")

    return Contender(number, candidate, judge_against, describe)


def release(client: MlflowClient, name: str, number: str, candidate: Candidate) -> Verdict:
    """Let a version be judged and take its place."""
    return promote(client, name, contender(client, name, number, candidate), "accuracy")
