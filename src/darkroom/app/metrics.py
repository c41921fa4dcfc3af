"""What Prometheus reads of the app."""

from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics import disable_created_metrics

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds
CLASSES = 100  # with a series of their own, the first by name; the others share one: a series costs memory
OTHER = "other"
STATIC = "/static"


class Metrics:
    """Counters of one app; the paths among the labels are those of `paths`, so a scanner adds no series."""

    def __init__(self, paths: Sequence[str]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, of when it began
        self.paths, self.registry = frozenset(paths), CollectorRegistry()

        def counter(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"darkroom_{name}", about, labels, registry=self.registry)

        self.requests = counter("requests", "Requests.", "path", "status")
        self.seconds = Histogram(
            "darkroom_request_seconds", "Time until the answer.", ["path"], registry=self.registry, buckets=BUCKETS
        )
        self.answers = counter("answers", "Pictures answered, by class.", "version", "label")
        self.abstentions = counter("abstentions", "Answers that abstain.", "version")
        self.unfamiliar = counter("unfamiliar", "Pictures unlike the training pictures.", "version")
        self.errors = counter("errors", "Pictures that could not be answered.", "version")
        self.feedback = counter("feedback", "Answers marked as wrong.")
        self.unlogged = counter("unlogged", "Answers that the log of traffic missed.")
        self.reloads = counter("reloads", "Attempts to load another version.", "result")
        ProcessCollector(registry=self.registry)

    def observe(self, path: str, status: int, seconds: float) -> None:
        """Count a request; status 0 is a client that has left."""
        path = STATIC if path.startswith(f"{STATIC}/") else path
        known = path if path in self.paths else OTHER
        self.requests.labels(known, str(status)).inc()
        self.seconds.labels(known).observe(seconds)

    def count(self, answers: Sequence[dict[str, Any]], version: str, classes: Sequence[str]) -> None:
        """Count the answers that a version with these classes has given."""
        for answer in answers:
            if answer["error"]:
                self.errors.labels(version).inc()
                continue
            named = len(classes) <= CLASSES or answer["label"] in classes[:CLASSES]
            self.answers.labels(version, answer["label"] if named else OTHER).inc()
            if answer["abstains"]:
                self.abstentions.labels(version).inc()
            if answer["unfamiliar"]:
                self.unfamiliar.labels(version).inc()

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)
