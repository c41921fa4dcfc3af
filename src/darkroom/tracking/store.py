"""The MLflow store of the repository: where it is, and how it is opened by many at once."""

import logging
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from darkroom.core.errors import UserError, first_line
from darkroom.core.paths import cache_folder, project_root
from darkroom.execution.interrupts import deferred_interrupts
from darkroom.execution.locks import locked
from darkroom.execution.quiet import without_collections

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.store.entities import PagedList

logger = logging.getLogger(__name__)
T = TypeVar("T")  # Python 3.11 has no `def consult[T]`


def tracking_uri() -> str:
    """Return the address of the store: MLFLOW_TRACKING_URI, or SQLite in the repository's root.

    A plain `mlflow ui` or `mlflow models serve` uses that file too, and so do all experiments of `dvc exp`.
    """
    chosen = os.environ.get("MLFLOW_TRACKING_URI") or own_store()
    file = chosen.removeprefix("sqlite:///")
    if file != chosen and not Path(file).is_absolute():  # else each experiment would have its own, in its own folder
        return f"sqlite:///{project_root() / file}"
    return chosen


def own_store() -> str:
    """Return the address of the SQLite store in the repository's root."""
    return f"sqlite:///{project_root() / 'mlflow.db'}"


def connect() -> "MlflowClient":
    """Open the store, creating it when it is missing.

    The first connection creates the tables; two at once would corrupt the file, hence the lock.
    """
    with without_collections():
        from mlflow import MlflowClient

    with locked(cache_folder() / "mlflow.lock"):
        client = MlflowClient(tracking_uri(), tracking_uri())
        client.search_experiments(max_results=1)
    return client


@contextmanager
def existing_store(action: str, remedy: str) -> "Iterator[MlflowClient]":
    """Yield the client of a store that cannot be done without; `action` says what it is needed for.

    Raises UserError when the store fails, or does not exist yet: `remedy` says what makes one.
    """
    file = tracking_uri().removeprefix("sqlite:///")
    if file != tracking_uri() and not Path(file).exists():
        raise UserError(f"there is no MLflow store yet at {file}; {remedy}", status=1)
    try:
        yield connect()
    except Exception as error:
        if not is_of_the_store(error):
            raise
        raise store_error(error, action) from None


def all_pages(search: "Callable[..., PagedList[Any]]") -> Iterator[Any]:
    """Yield what `search` finds, page after page; it takes `page_token`."""
    page = None
    while True:
        found = search(page_token=page)
        yield from found
        page = found.token
        if not page:
            return


def consult(question: "Callable[[MlflowClient], T]", action: str, otherwise: T) -> T:
    """Return what `question` finds in the store; when that fails, log a warning that says `action`, and `otherwise`.

    For what work can do without: any failure of the store (network, permission, disk, version) is one of these.
    """
    try:
        with deferred_interrupts():  # a request that is broken off leaves the SQLite store locked
            return question(connect())
    except Exception as error:
        logger.warning("MLflow failed while %s: %s", action, describe_failure(error))
        return otherwise


def experiment_id(client: "MlflowClient", name: str) -> str:
    """Return the id of the experiment `name`, created when it is missing, brought back when it was deleted."""
    with locked(cache_folder() / "mlflow.lock"):
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            return str(client.create_experiment(name, artifact_location=_artifact_location(name)))
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)


def _artifact_location(experiment: str) -> str | None:
    """With a file as store the artefacts lie in the repository; a server decides for itself."""
    if not tracking_uri().startswith("sqlite:"):
        return None
    folder = "".join(char if char.isalnum() or char in "-_." else "_" for char in experiment)
    return (project_root() / "mlruns" / folder).as_uri()


def redacted(text: str, address: str = "") -> str:
    """Return an address, or a message that holds one, without user names and passwords.

    The password of `address`, or else of MLFLOW_TRACKING_URI, is taken out wherever it stands: libraries repeat parts
    of an address.
    """
    found = re.search(r"://[^:@/]*:(.*)@", address or os.environ.get("MLFLOW_TRACKING_URI", ""))
    text = re.sub(r"://[^\s/]*@", "://***@", text)
    text = re.sub(r"([?&][^=&\s]*(?:password|passwd|pwd|token|secret|key)[^=&\s]*=)[^&\s]+", r"\1***", text, flags=re.I)
    for password in {found[1], unquote(found[1])} if found else ():
        text = text.replace(password, "***") if password else text
    return text


def describe_failure(error: Exception) -> str:
    """Return a failure of the store in one line of at most 120 characters, and the address of a remote store."""
    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    where = f" (MLFLOW_TRACKING_URI is {redacted(address)})" if "://" in address.removeprefix("sqlite://") else ""
    return textwrap.shorten(redacted(first_line(error)), 120, placeholder=" ...") + where


def is_of_the_store(error: Exception) -> bool:
    """Return whether an exception comes from MLflow or what it stands on, and not from our own code."""
    return type(error).__module__.split(".")[0] in ("mlflow", "requests", "sqlalchemy")


def store_error(error: Exception, action: str) -> UserError:
    """Return a failure of the store as an error of a user who cannot work without it; `action` says during what."""
    return UserError(f"MLflow failed while {action}: {describe_failure(error)}; check with `darkroom doctor`", status=1)
