"""How often a test split has been looked at: each further look makes its best result flatter the model."""

import logging
from typing import TYPE_CHECKING

from darkroom.tracking.runs import StageRun
from darkroom.tracking.store import consult

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)
TEST_TAG = "darkroom.test_split"
MODEL_TAG = "darkroom.model"


def record_look(run: StageRun, test_split: str, model: str) -> int:
    """Note on evaluate's run that a model was measured on a test split; return and log how many have been by now.

    `test_split` and `model` are digests in hex.
    """
    run.set_tag(MODEL_TAG, model)
    run.set_tag(TEST_TAG, test_split)
    looks = count_looks(run.experiment, test_split)
    if looks:
        run.log_metrics({"test/looks": looks})
        logger.info("this test split has measured %d distinct model%s", looks, "" if looks == 1 else "s")
    return looks


def count_looks(experiment: str, test_split: str) -> int:
    """Return how many distinct models the runs of an experiment (its name) have measured on a test split.

    Deleted runs count, and so does the present one once `record_look` has noted it. 0 when the store cannot tell.
    """

    def count(client: "MlflowClient") -> int:
        found = client.get_experiment_by_name(experiment)
        return len(_models(client, found.experiment_id, test_split)) if found else 0

    return consult(count, "counting the models measured on this test split", 0)


def _models(client: "MlflowClient", experiment: str, test_split: str) -> set[str]:
    from mlflow.entities import ViewType

    models, page = set(), None
    while True:
        query = f"tags.`{TEST_TAG}` = '{test_split}'"
        runs = client.search_runs([experiment], query, ViewType.ALL, page_token=page)
        models |= {run.data.tags[MODEL_TAG] for run in runs if MODEL_TAG in run.data.tags}
        page = runs.token
        if not page:
            return models
