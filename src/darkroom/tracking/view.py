"""The table of results in MLflow's pages: which columns it has, how it is sorted, what it leaves out.

MLflow keeps the state of a page that was shared as a tag of the experiment; an address names the tag. The form of the
state is not documented: it is that of MLflow 3.17, and a test opens the page in a browser.
"""

from typing import TYPE_CHECKING

from darkroom.core.files import canonical_json
from darkroom.tracking.headlines import HEADLINES
from darkroom.tracking.results import PIPELINE_TAG
from darkroom.tracking.store import consult

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "results"
VIEW_TAG = f"mlflow.sharedViewState.{NAME}"
SHOWN_PARAMS = ("model.architecture", "train.learning_rate", "train.epochs", "image.size")


def share_view(client: "MlflowClient", experiment: str) -> None:
    """Set the tag of the table of results on an experiment (its id), unless it is there."""
    state = view_state()
    if client.get_experiment(experiment).tags.get(VIEW_TAG) != state:
        client.set_experiment_tag(experiment, VIEW_TAG, state)


def view_state() -> str:
    """Return the state of the page as JSON: one row for each pipeline, the best on test first."""
    columns = [*(f"metrics.`{name}`" for name in HEADLINES), "tags.`verdict`"]
    columns += [f"params.`{name}`" for name in SHOWN_PARAMS]
    return canonical_json(
        {
            "searchFilter": f"tags.`{PIPELINE_TAG}` LIKE '%'",
            "orderByKey": columns[0],
            "orderByAsc": False,
            "selectedColumns": columns,
            "columnOrder": columns,
        }
    )


def address(pages: str, experiment: str) -> str:
    """Return the address of the table of an experiment (its name) below that of MLflow's pages.

    Without such an experiment, or when the store fails, it is `pages`.
    """

    def find(client: "MlflowClient") -> str:
        found = client.get_experiment_by_name(experiment)
        if found is None:
            return pages
        share_view(client, found.experiment_id)
        query = f"workflowType=machine_learning&viewStateShareKey={NAME}"
        return f"{pages}/#/experiments/{found.experiment_id}/runs?{query}"

    return consult(find, "looking for the experiment", pages)
