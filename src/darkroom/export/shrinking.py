"""`darkroom shrink`: students of the champion, and what their sizes buy."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.augmentation.variation import Variation
from darkroom.core.errors import UserError
from darkroom.core.files import read_value
from darkroom.core.paths import ARTEFACTS, workspace
from darkroom.examples.pixels import Examples
from darkroom.examples.runtime import start_tensorflow
from darkroom.examples.saving import load_network
from darkroom.execution.progress import epoch_verbosity
from darkroom.export.distillation import Distilled, answer_of
from darkroom.export.pruning import pruned
from darkroom.export.shrink_table import CHAMPION, write_fronts
from darkroom.export.sizes import Size, parse_filters, parse_width, student_params
from darkroom.export.students import STUDENTS, Front, front_row, write_student
from darkroom.export.workspace_data import load_splits, read_bundle
from darkroom.images.scaling import DECODE_VERSION
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import load_params, with_overlay
from darkroom.params.schema import Params
from darkroom.train.fit import fit

if TYPE_CHECKING:
    import keras

    from darkroom.examples.batches import Vary
    from darkroom.export.distillation import Answer

SPLITS = ("train", "validation")
PRUNING_EPOCHS = 10
AT_ONCE = 2**19  # pixels that the teacher sees at a time
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shrink:
    """The arguments of `darkroom shrink`; `sparsity` is a share of the weights, 0: none."""

    filters: list[str]
    widths: list[float]
    sparsity: float
    epochs: int | None


def wanted_sizes(asked: Shrink) -> tuple[Params, list[Size]]:
    """Return the parameters of the workspace, as tune found them, and the sizes; raises UserError."""
    root = workspace()
    params, best = load_params(root / "params.yaml"), root / ARTEFACTS["best"]
    if best.is_file():
        params = with_overlay(params, read_value(best), ARTEFACTS["best"])
    sizes = [parse_filters(text, params) for text in asked.filters]
    sizes += [parse_width(width, params) for width in asked.widths]
    if not sizes and not asked.sparsity:
        raise UserError("nothing to do: name sizes with --filters 16,32,64 or --width 0.5, or a --sparsity")
    return params, sizes


def shrink(asked: Shrink, params: Params, sizes: list[Size], bundle: Path) -> int:
    """Train a student of each size on the champion's answers, prune it when asked, write the front; return 0."""
    # a student is trained, and served, as pictures are decoded today
    packaged, root = replace(read_bundle(bundle), decoding=DECODE_VERSION), workspace()
    trainings = [student_params(params, size, packaged.image, asked.epochs) for size in sizes]  # errors come first
    data = load_splits(packaged, SPLITS)
    start_tensorflow(params.train.threads)
    champion = load_network(packaged.network)
    teacher = answer_of(champion, max(1, AT_ONCE // packaged.image.size**2))
    rows = [front_row(CHAMPION, champion, _accuracy(teacher, data["validation"]), data)]
    for size, training in zip(sizes, trainings, strict=True):
        rows += _student_rows(asked, size, training, data, teacher)
    if not sizes:
        own = student_params(params, Size(CHAMPION, {}), packaged.image, asked.epochs)
        rows.append(_pruned_row(asked, CHAMPION, champion, own, data, Variation(own.augment, own.train.seed)))
    write_fronts(root, rows)
    for row in rows:
        logger.info("%s", _sentence(row))
    logger.info(
        "reports/shrink.html shows them; `darkroom export --model %s/NAME` exports one, `darkroom predict --model` "
        "asks it",
        STUDENTS,
    )
    return 0


def _student_rows(
    asked: Shrink, size: Size, params: DeclaredParams, data: dict[str, Examples], teacher: "Answer"
) -> Iterator[Front]:
    logger.info("student %s: %d epochs at most", size.name, params.train.epochs)
    root = workspace()
    vary = Distilled(Variation(params.augment, params.train.seed), teacher)
    fitted = fit(data, params, root / ARTEFACTS["weights"], verbose=epoch_verbosity(), vary=vary)
    yield write_student(root / STUDENTS / size.name, fitted.network, data, params)
    if asked.sparsity:
        yield _pruned_row(asked, size.name, fitted.network, params, data, vary)


def _pruned_row(
    asked: Shrink,
    name: str,
    network: "keras.Model",
    params: DeclaredParams,
    data: dict[str, Examples],
    vary: "Vary",
) -> Front:
    """Prune a network, train it further, on pictures as `vary` varies them, and write it."""
    logger.info("%s: %.0f %% of the weights become 0", name, 100 * asked.sparsity)
    sparse = pruned(network, asked.sparsity, data, params.train, vary, asked.epochs or PRUNING_EPOCHS)
    return write_student(workspace() / STUDENTS / f"{name}-sparse-{asked.sparsity:g}", sparse, data, params)


def _accuracy(teacher: "Answer", examples: Examples) -> float:
    return float((teacher(examples.pixels[examples.rows]).argmax(axis=1) == examples.labels).mean())


def _sentence(row: Front) -> str:
    zipped = f"{row.zipped_kilobytes:,.0f} zipped"
    return f"{row.name}: accuracy {100 * row.accuracy:.1f} %, {row.kilobytes:,.0f} kB ({zipped}), {row.p50_ms:.3f} ms"
