"""`darkroom predict`: the answers of a model on files."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.core.files import replacing
from darkroom.execution.cluster import nodes, on_cluster
from darkroom.execution.progress import progress
from darkroom.serving.bundles import load_served, open_bundle
from darkroom.serving.cluster import actors, predicted_on_cluster
from darkroom.serving.heat import heat_drawer
from darkroom.serving.inputs import STDIN, Listing, Picture, open_inputs
from darkroom.serving.page import write_page
from darkroom.serving.pipeline import predicted
from darkroom.serving.rows import Row
from darkroom.serving.sinks import Sink, kept_rows, partial_rows, printed_rows

if TYPE_CHECKING:
    from darkroom.package.answers import Answers

FORMATS = (".csv", ".jsonl", ".parquet")
ON_PAGE = 2000  # pictures, at most: a page of some 10 MB
Answering = Callable[[Iterable[Picture]], Iterator[Row]]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """The arguments of `darkroom predict`."""

    paths: list[str]
    model: str
    output: Path | None
    top: int
    html: Path | None
    explain: bool


def predict_files(asked: Request) -> int:
    """Answer on all pictures; return 0, or 1 when some could not be read. Raises UserError."""
    _require_usable(asked)
    own = [asked.html, asked.output, asked.output and partial_rows(asked.output)]
    with (
        open_inputs(asked.paths, [file.absolute() for file in own if file]) as listing,
        open_bundle(asked.model) as bundle,
    ):
        answers = load_served(bundle)
        if asked.top > len(answers.classes):
            raise UserError(f"--top {asked.top}: the model has {len(answers.classes)} classes")
        with _sink(asked, bundle) as sink:
            shown = _fill(sink, listing, asked, _answering(asked, bundle, answers))
        if asked.html:
            draw = heat_drawer(bundle) if asked.explain else None
            with replacing(asked.html) as temporary:
                write_page(temporary, shown, sink.tally, answers, draw, asked.top)
    return int(sink.tally.unreadable > 0)


def _require_usable(asked: Request) -> None:
    if asked.explain and not asked.html:
        raise UserError("--explain shows its heat maps in a page; add --html FILE")
    if asked.output and asked.output.suffix.lower() not in FORMATS:
        raise UserError(f"--output {asked.output}: unknown format; give a file that ends in {', '.join(FORMATS)}")
    for file in (asked.output, asked.html):
        if file and file.is_dir():
            raise UserError(f"{file} is a folder; give the name of a file in it")


def _sink(asked: Request, bundle: Path) -> AbstractContextManager[Sink]:
    """Return where the rows go; a stopped run goes on when model, options and paths are the same."""
    if asked.output is None:
        return printed_rows(asked.top)
    from darkroom.package.bundle import bundle_digest

    header = {"model": bundle_digest(bundle), "top": asked.top, "paths": asked.paths}
    return kept_rows(asked.output, header, asked.top)


def _answering(asked: Request, bundle: Path, answers: "Answers") -> Answering:
    """Return what answers: this process, or the nodes of the cluster that RAY_ADDRESS names."""
    here = partial(predicted, answers=answers, top=asked.top)
    if not on_cluster():
        return here
    if asked.output is None:
        logger.info("answers on this machine; with --output FILE the nodes of the cluster would answer")
        return here
    if not (count := actors(nodes())):
        logger.warning("answers on this machine: no node of the cluster offers a whole CPU")
        return here
    logger.info("up to %d processes of the cluster answer, one for each CPU", count)
    return partial(predicted_on_cluster, bundle=bundle, at_once=answers.at_once, top=asked.top, actors=count)


def _fill(sink: Sink, listing: Listing, asked: Request, answer: Answering) -> list[Picture]:
    """Answer on the pictures that have no row yet; return the first of all, for the page."""
    tally, earlier, shown = sink.tally, sink.tally.pictures, list[Picture]()
    pictures = _remembering(listing(), shown, ON_PAGE if asked.html else 0)
    rows = answer(picture for picture in pictures if sink.needs(picture.path))
    start = time.perf_counter()
    for row in _with_progress(rows, listing, asked, earlier):
        sink.add(row)
    rate = (tally.pictures - earlier) / (time.perf_counter() - start)
    found = f"{tally.pictures:,} pictures, {tally.unreadable:,} unreadable, {tally.abstained:,} abstained"
    logger.info("%s; %s a second", found, f"{rate:,.0f}")
    return shown


def _remembering(pictures: Iterator[Picture], shown: list[Picture], most: int) -> Iterator[Picture]:
    """Yield the pictures, and keep the first `most` of them in `shown`."""
    for picture in pictures:
        if len(shown) < most:
            shown.append(picture)
        yield picture


def _with_progress(rows: Iterator[Row], listing: Listing, asked: Request, earlier: int) -> Iterator[Row]:
    """Yield the rows; a terminal shows how many there are, unless it shows the rows themselves."""
    if not asked.output and sys.stdout.isatty():
        return rows
    counted = sys.stderr.isatty() and STDIN not in asked.paths  # listing a large folder takes a moment
    return progress(rows, sum(1 for _ in listing()) - earlier if counted else None, "pictures")
