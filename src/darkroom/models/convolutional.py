"""The plain convolutional family: blocks of convolution, pooling, normalisation and dropout."""

from typing import TYPE_CHECKING, Any

from darkroom.models.fused import normalisation

if TYPE_CHECKING:
    from darkroom.params.model import Model


def conv_features(params: "Model", inputs: Any, fused: bool) -> Any:
    """Return the maps after the last block. Pixels are scaled to 0-1 first."""
    from keras import layers

    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    rows = zip(
        params.filters,
        *(_per_block(params, value) for value in (params.kernel, params.stride, params.pool)),
        strict=True,
    )
    for number, (filters, kernel, stride, pool) in enumerate(rows, start=1):
        name = f"conv{number}"
        x = layers.Conv2D(filters, kernel, stride, params.padding, activation="relu", name=name)(x)
        if params.norm == "before_pool":
            x = normalisation(fused, name=f"{name}_norm")(x)
        if pool > 1:
            x = layers.MaxPooling2D(pool, name=f"pool{number}")(x)
        if params.norm == "after_pool":
            x = normalisation(fused, name=f"{name}_norm")(x)
        if params.block_dropout:
            dropout = layers.SpatialDropout2D if params.drop_maps else layers.Dropout
            x = dropout(params.block_dropout, name=f"{name}_dropout")(x)
    return x


def _per_block(params: "Model", value: int | list[int]) -> list[int]:
    return value if isinstance(value, list) else [value] * len(params.filters)
