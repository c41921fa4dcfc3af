"""The networks of keras.applications, each with the input range that its weights expect."""

import warnings
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.errors import UserError
from darkroom.core.files import file_digest
from darkroom.models.backbone_table import BACKBONES, WIDE

if TYPE_CHECKING:
    import keras

    from darkroom.params.model import Model

FOLDER = "data/weights"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB, 0-1
ADVICE = (
    "give its file without the top (no_top), or the architecture and width that the file is of; "
    "a file that Keras 3's save_weights wrote must end in .weights.h5"
)
CENTRE = (103.939, 116.779, 123.68)  # of ImageNet's BGR, 0-255; as Caffe's models were trained


def is_pretrained(params: "Model") -> bool:
    """Return whether the network starts from pretrained weights."""
    return params.architecture in BACKBONES and params.weights != "none"


def backbone_features(params: "Model", inputs: Any) -> Any:
    """Return the maps behind a backbone without its head; one with given weights can be frozen layer by layer."""
    import keras

    built = build_backbone(params.architecture, params.width, inputs.shape[1:])
    backbone = keras.Model(built.input, built.output, name="backbone")  # some builders look things up by their name
    x = to_range(inputs, BACKBONES[params.architecture])
    if is_pretrained(params):
        _infer_while_frozen(backbone)
    return backbone(x)


def _infer_while_frozen(backbone: "keras.Model") -> None:
    """Let dropout and stochastic depth drop something only while their layer is trained.

    Keras runs a frozen normalisation in inference mode, and no other layer. To call the whole backbone with
    training=False is no way: some versions of Keras then drop nothing while fine-tuning, others pass over it.
    """
    from keras import layers

    for layer in backbone.layers:
        if "training" in signature(layer.call).parameters and not isinstance(layer, layers.BatchNormalization):
            layer.call = partial(_call_unless_frozen, layer, layer.call)


def _call_unless_frozen(
    layer: "keras.layers.Layer", call: Callable[..., Any], inputs: Any, training: bool | None = None
) -> Any:
    return call(inputs, training=bool(training) and layer.trainable)


def build_backbone(
    architecture: str, width: float, shape: tuple[int, ...], weights: str | None = None
) -> "keras.Model":
    """Return the network of keras.applications without its top; `weights`: None or imagenet, which may download."""
    import keras

    options = {"alpha": width} if architecture in WIDE else {}
    build = getattr(keras.applications, architecture)
    return build(include_top=False, weights=weights, input_shape=shape, **options)


def to_range(pixels: Any, values: str) -> Any:
    """Return RGB pixels 0-255 in the range that backbone_table.BACKBONES names."""
    from keras import layers, ops

    if values == "symmetric":
        return layers.Rescaling(1 / 127.5, offset=-1, name="scale")(pixels)
    if values == "standard":
        scale, offset = [1 / 255 / one for one in DEVIATION], [-m / d for m, d in zip(MEAN, DEVIATION, strict=True)]
        return layers.Rescaling(scale, offset, name="scale")(pixels)
    if values == "centred":
        return layers.Rescaling(1.0, [-one for one in CENTRE], name="scale")(ops.flip(pixels, axis=-1))
    return layers.Rescaling(1.0, name="scale")(pixels)  # to floats


def load_pretrained(network: "keras.Model", params: "Model", folder: Path) -> None:
    """Load the weights that params name, perhaps a file of `folder`, into the backbone of `network`.

    Raises UserError when they are missing or do not fit.
    """
    if is_pretrained(params):
        backbone = network.get_layer("backbone")
        if params.weights == "imagenet":
            _load_imagenet(backbone, params)
        else:
            _load_file(backbone, params, folder)


def weights_file_digest(params: "Model", folder: Path) -> str:
    """Return the digest of the file of `folder` that `model.weights` names; empty if there is none."""
    file = folder / params.weights
    return file_digest(file) if file.is_file() else ""


def _load_imagenet(backbone: "keras.Model", params: "Model") -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that the weights are those of another size; they fit
            given = build_backbone(params.architecture, params.width, backbone.input_shape[1:], "imagenet")
    except ValueError as error:  # of a width that was never trained
        raise UserError(f"model.weights = imagenet: {' '.join(str(error).split())[:200]}") from None
    except Exception as error:  # Keras raises a plain Exception when a download fails
        reason = " ".join(str(error).split())[:250]  # the file's address is in it
        raise UserError(
            f"model.weights = imagenet: the weights of {params.architecture} could not be downloaded ({reason}); "
            f"without internet put their no_top file into {FOLDER}/ and give its name",
            1,
        ) from None
    backbone.set_weights(given.get_weights())


def _load_file(backbone: "keras.Model", params: "Model", folder: Path) -> None:
    file = folder / params.weights
    if not file.is_file():
        there = sorted(path.name for path in folder.glob("*.h5"))
        found = f"there are {', '.join(there)}" if there else "there are none"
        raise UserError(
            f"model.weights = {params.weights}: not found in {FOLDER}/ ({found}); "
            "put the file there, or give imagenet (downloads) or none"
        )
    name = params.architecture + (f" of width {params.width:g}" if params.architecture in WIDE else "")
    try:
        load_fitting(backbone, file)
    except OSError as error:  # h5py's
        why = " ".join(str(error).split())[:120]
        raise UserError(
            f"model.weights = {params.weights}: not an HDF5 file of weights ({why}); download it again"
        ) from None
    except (ValueError, KeyError) as error:  # what Keras raises for layers that are not there
        why = " ".join(str(error).split())[:120]
        raise UserError(f"model.weights = {params.weights}: does not fit {name}: {why}; {ADVICE}") from None


def load_fitting(backbone: "keras.Model", file: Path) -> None:
    """Load a file of as many numbers as `backbone` has: Keras itself passes over what the file lacks.

    Raises OSError, ValueError or KeyError when it does not fit.
    """
    numbers = _count_numbers(file)
    if numbers != backbone.count_params():
        raise ValueError(f"it holds {numbers:,} numbers for {backbone.count_params():,}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping nested container")  # one that holds the same layers again
        backbone.load_weights(file)


def _count_numbers(file: Path) -> int:
    """Return how many numbers an HDF5 file holds, without what an optimizer remembers."""
    import h5py

    sizes: dict[str, int] = {}
    with h5py.File(file) as content:
        content.visititems(lambda name, item: sizes.update({name: item.size} if isinstance(item, h5py.Dataset) else {}))
    return sum(size for name, size in sizes.items() if not name.startswith("optimizer/"))
