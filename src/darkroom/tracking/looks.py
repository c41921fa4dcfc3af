"""How often a test split has been looked at: each further look makes its best result flatter the model."""

import logging
from functools import partial
from typing import TYPE_CHECKING

from darkroom.tracking.logger import RunLogger
from darkroom.tracking.store import all_pages, consult

if TYPE_CHECKING:
    from mlflow import MlflowClient

logger = logging.getLogger(__name__)
TEST_TAG = "darkroom.test_split"
MODEL_TAG = "darkroom.model"


def record_look(run: RunLogger, test_split: str, model: str) -> int:
    """Note on a run that a model was measured on a test split; return and log how many have been by now.

    `test_split` and `model` are digests in hex.
    """
    run.set_tag(MODEL_TAG, model)
    run.set_tag(TEST_TAG, test_split)
    looks = count_looks(test_split)
    if looks:
        run.log_metrics({"test/looks": looks})
        logger.info("this test split has measured %d distinct model%s", looks, "" if looks == 1 else "s")
    return looks


def count_looks(test_split: str) -> int:
    """Return how many distinct models the runs of all experiments have measured on a test split.

    Deleted runs count, and so does the present one once `record_look` has noted it. 0 when the store cannot tell.
    """

    def count(client: "MlflowClient") -> int:
        from mlflow.entities import ViewType

        experiments = all_pages(partial(client.search_experiments, ViewType.ALL))
        ids = [experiment.experiment_id for experiment in experiments]
        query = f"tags.`{TEST_TAG}` = '{test_split}'"
        runs = all_pages(partial(client.search_runs, ids, query, ViewType.ALL))
        return len({run.data.tags[MODEL_TAG] for run in runs if MODEL_TAG in run.data.tags})

    return consult(count, "counting the models measured on this test split", 0)
