"""The parts of a training: with given weights, first the head alone, then the last layers of the backbone too."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.models.backbones import is_pretrained
from darkroom.params.declared import DeclaredParams

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Phase:
    """Epochs that train the same layers with one schedule; `number` counts from 1.

    The first `small_epochs` see smaller pictures. `layers` of the backbone are trained: the last so many, or from the
    one with that name on; None: no part is frozen.
    """

    number: int
    epochs: int
    learning_rate: float
    layers: int | str | None
    small_epochs: int = 0

    @property
    def title(self) -> str:
        """Return which part of a training with given weights this is; empty for a training of one part."""
        if self.layers is None:
            return ""
        if self.layers == 0:
            return f"the head, the backbone frozen: {self.epochs} epochs at most"
        which = f"the last {self.layers} layers" if isinstance(self.layers, int) else f"from {self.layers} on"
        return f"fine-tuning, {which}: {self.epochs} epochs at most, at {self.learning_rate:g}"


def phases(params: DeclaredParams) -> list[Phase]:
    """Return the phases of a training; one for a network without given weights."""
    train = params.train
    if not is_pretrained(params.model):
        return [Phase(1, train.epochs, train.learning_rate, None, train.small_epochs)]
    frozen = Phase(1, train.epochs, train.learning_rate, 0, train.small_epochs)
    tuning = params.finetune
    return [frozen, Phase(2, tuning.epochs, tuning.learning_rate, tuning.layers)] if tuning.epochs else [frozen]


def set_trainable(network: "keras.Model", phase: Phase) -> None:
    """Freeze the layers of the backbone that `phase` does not train; raises UserError for a name that it lacks.

    A normalisation stays frozen, so it keeps the statistics of the given weights, also while training: a small data set
    would spoil them (keras.io, Transfer learning & fine-tuning).
    """
    import keras

    if phase.layers is None:
        return
    layers = network.get_layer("backbone").layers
    first = _first_trained(layers, phase.layers)
    for place, layer in enumerate(layers):
        layer.trainable = place >= first and not isinstance(layer, keras.layers.BatchNormalization)


def _first_trained(layers: "list[keras.layers.Layer]", wanted: int | str) -> int:
    if isinstance(wanted, int):
        return max(len(layers) - wanted, 0)
    names = [layer.name for layer in layers]
    if wanted not in names:
        raise UserError(f"finetune.layers = {wanted!r}: the backbone has no such layer{nearest(wanted, names)}")
    return names.index(wanted)
