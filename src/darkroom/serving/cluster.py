"""The answers of `darkroom predict` on a Ray cluster: Ray Data hands pictures to actors that hold the model."""

import logging
import os
import pickle
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings

from darkroom.core.errors import UserError
from darkroom.execution.cluster import Node, connect
from darkroom.execution.quiet import without_native_messages
from darkroom.execution.ray_executor import RETRIES
from darkroom.serving.bundles import load_served
from darkroom.serving.inputs import Picture
from darkroom.serving.pipeline import batched, predicted
from darkroom.serving.rows import Row

if TYPE_CHECKING:
    from ray.data import Dataset

PICTURES = 256  # of a task, about: whole batches of the network, the same ones as without a cluster
CPUS = 0.5  # Ray's count for an actor: it fills each node to a half, and a dead node's actors find room on others
THREADS = "2"  # of an actor: one reads while the other decodes

Columns = dict[str, Any]  # of a block of Ray Data


def actors(nodes: Iterable[Node]) -> int:
    """Return how many actors there are: one for each whole CPU.

    They may use every CPU: the actors themselves read the pictures, so that no other task waits for one.
    """
    return sum(int(node.cpus) for node in nodes)


def predicted_on_cluster(
    pictures: Iterable[Picture], bundle: Path, at_once: int, top: int, actors: int
) -> Iterator[Row]:
    """Yield the row of each picture, in order, as `pipeline.predicted` does, from a model that answers `at_once`.

    All paths are listed first; packed, they take some 20 bytes each. The nodes read pictures and bundle under the same
    paths as this machine. Ray does the task of a killed actor again. Raises UserError when the model cannot be loaded.
    """
    tasks = [_packed(batch) for batch in batched(pictures, at_once * max(1, PICTURES // at_once))]
    if not tasks:
        return
    from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError

    try:
        blocks = iter(_answered(tasks, bundle.absolute(), top, actors).iter_batches(batch_size=None))
        with without_native_messages():  # Ray's core warns while actors start
            first = next(blocks)
        for block in chain([first], blocks):
            for rows in block["rows"]:
                yield from pickle.loads(rows)
    except (ActorDiedError, ActorUnavailableError):
        raise UserError("a worker process was killed; it probably ran out of memory", 1) from None
    except RayError as error:
        reason = str(error).strip().splitlines()[-1]  # behind the traceback of the actor
        raise UserError(f"the cluster could not answer: {reason}", 1) from None


def _packed(pictures: list[Picture]) -> Columns:
    return {"pictures": zlib.compress(pickle.dumps(pictures), 1)}


def _answered(tasks: list[Columns], bundle: Path, top: int, actors: int) -> "Dataset":
    """Return the tasks' rows, which are computed while one reads them."""
    connect()
    import ray.data

    _silence()
    pool = ray.data.ActorPoolStrategy(size=min(actors, len(tasks)))
    options: Columns = {"fn_constructor_args": (bundle, top), "batch_size": None, "num_cpus": CPUS}
    options["ray_remote_args_fn"] = _retries
    blocks = ray.data.from_items(tasks, override_num_blocks=len(tasks))
    with catch_warnings(action="ignore"):  # Ray 2.64 takes away the only way to limit retries
        return blocks.map_batches(Answerer, compute=pool, **options)


def _retries() -> dict[str, int]:
    """Limit the retries of an actor: Ray Data's own have no end, and a picture may kill each process."""
    return {"max_task_retries": RETRIES}


def _silence() -> None:
    """Keep rows in order, and Ray Data off the terminal."""
    from ray.data import DataContext

    context = DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


class Answerer:
    """An actor: the model, loaded once, and the rows of the pictures that it is sent."""

    def __init__(self, bundle: Path, top: int) -> None:
        os.environ["LOKY_MAX_CPU_COUNT"] = THREADS  # what `predicted` asks for
        self.answers, self.top = load_served(bundle), top

    def __call__(self, block: Columns) -> Columns:
        """Return the rows of a block of tasks."""
        tasks = [pickle.loads(zlib.decompress(task)) for task in block["pictures"]]
        return {"rows": [pickle.dumps(list(predicted(pictures, self.answers, self.top))) for pictures in tasks]}
