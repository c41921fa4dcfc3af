"""Writing to one MLflow run."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from darkroom.core.files import canonical_json

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from PIL import Image

LOGGED_SUFFIXES = {".json", ".csv", ".yaml", ".md", ".png", ".html"}
PARAMS_AT_ONCE = 100  # MLflow's limit for one request
METRICS_AT_ONCE = 1000  # MLflow's limit for one request
TAG_LENGTH = 8000  # MLflow's limit for the value of a tag
T = TypeVar("T")  # Python 3.11 has no `def chunks[T]`


class StoreUnavailable(Exception):
    """The store failed before; nothing more is written to it."""


class RunLogger:
    """Writes parameters, metrics, data sets and files to the run `run_id`; a failure of the store raises."""

    def __init__(self, client: "MlflowClient | None", run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    @property
    def client(self) -> "MlflowClient":
        """The store's client; raises StoreUnavailable when there is none."""
        if self._client is None:
            raise StoreUnavailable
        return self._client

    @cached_property
    def experiment_id(self) -> str:
        """The id of the experiment that the run is in."""
        return str(self.client.get_run(self.run_id).info.experiment_id)

    def guard(self) -> AbstractContextManager[None]:
        """Return the context that every write runs in."""
        return nullcontext()

    def log_params(self, params: dict[str, Any]) -> None:
        """Write parameters; their values as text, cut at MLflow's 6,000 characters."""
        with self.guard():
            from mlflow.entities import Param

            entries = [Param(allowed_name(key), str(value)[:6000]) for key, value in sorted(params.items())]
            for some in chunks(entries, PARAMS_AT_ONCE):
                self.client.log_batch(self.run_id, params=some)

    def log_metrics(self, metrics: dict[str, float], step: int = 0) -> None:
        """Write numbers of one step: an epoch, a trial."""
        with self.guard():
            from mlflow.entities import Metric

            now = int(time.time() * 1000)
            entries = [Metric(name, float(value), now, step) for name, value in sorted(metrics.items())]
            for some in chunks(entries, METRICS_AT_ONCE):
                self.client.log_batch(self.run_id, metrics=some)

    def log_history(self, history: "pd.DataFrame", prefix: str) -> None:
        """Write the columns of a table as metrics `prefix` + name; its index is the step. Missing values are left out.

        Many steps go into one request, as they do not with `log_metrics`.
        """
        with self.guard():
            from mlflow.entities import Metric

            now = int(time.time() * 1000)
            entries = [
                Metric(f"{prefix}{name}", float(value), now, int(str(step)))
                for name, values in history.items()
                for step, value in values.dropna().items()
            ]
            for some in chunks(entries, METRICS_AT_ONCE):
                self.client.log_batch(self.run_id, metrics=some)

    def set_tag(self, name: str, value: str) -> None:
        """Set a tag; a longer value than MLflow's 8,000 characters is cut."""
        with self.guard():
            self.client.set_tag(self.run_id, name, value[:TAG_LENGTH])

    def log_table(self, table: "pd.DataFrame", name: str) -> None:
        """Write a table as the artefact `name` (.json), which MLflow shows as a table; one that is there stays.

        MLflow would append to it.
        """
        with self.guard():
            if name not in (file.path for file in self.client.list_artifacts(self.run_id)):
                self.client.log_table(self.run_id, table, name)

    def log_dataset(self, name: str, content: str, counts: dict[str, int], context: str) -> None:
        """Write a data set as an input: its name, the digest of its content (MLflow shows 8 digits) and its counts."""
        with self.guard():
            from mlflow.entities import Dataset, DatasetInput, InputTag

            source, profile = canonical_json({"uri": name}), canonical_json(counts)
            dataset = Dataset(name, content[:8], "local", source, profile=profile)
            self.client.log_inputs(self.run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])

    def log_image(self, image: "Image.Image", name: str) -> None:
        """Write an image as the artefact `name`."""
        with self.guard():
            self.client.log_image(self.run_id, image, name)

    def log_file(self, path: Path) -> None:
        """Write a file as an artefact of the same name."""
        with self.guard():
            self.client.log_artifact(self.run_id, str(path))

    def log_outputs(self, paths: list[Path]) -> None:
        """Write the files and folders of `paths` that people read as artefacts: reports, tables, plots, no data."""
        with self.guard():
            for path in paths:
                if path.is_dir() and all(file.suffix in LOGGED_SUFFIXES for file in path.iterdir()):
                    self.client.log_artifacts(self.run_id, str(path), path.name)
                elif path.suffix in LOGGED_SUFFIXES:
                    self.client.log_artifact(self.run_id, str(path))


def allowed_name(name: str) -> str:
    """Return a parameter's name in MLflow's characters; a folder's name in ingest.labels may hold any."""
    return "".join(char if char.isalnum() or char in "_-. :/" else "_" for char in name)[:250]


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Return the items in order, up to `size` at a time."""
    return [items[start : start + size] for start in range(0, len(items), size)]
