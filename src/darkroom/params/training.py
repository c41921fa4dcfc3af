"""The section of params.yaml about training: optimizer, learning rate, loss, precision."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from darkroom.params.section import Count, Section, Seed, Share

Rate = Annotated[float, Field(gt=0, le=100)]
NotNegative = Annotated[float, Field(ge=0)]


class Train(Section):
    """How the network learns."""

    epochs: Count
    small_epochs: Annotated[int, Field(ge=0)]
    small_size: Annotated[int, Field(ge=4, le=1024)]
    batch_size: Count
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "adagrad", "lion", "muon"]
    learning_rate: Rate
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: NotNegative
    l2: NotNegative
    clip_norm: NotNegative
    schedule: Literal["constant", "step", "cosine", "one_cycle"]
    warmup: Share
    step_epochs: list[Count]
    step_factor: Annotated[float, Field(gt=0, lt=1)]
    loss: Literal["cross_entropy", "focal"]
    focal_gamma: NotNegative
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    ema: Annotated[float, Field(ge=0, lt=1)]
    keep: Literal["loss", "accuracy", "last"]
    patience: Annotated[int, Field(ge=0)]
    precision: Literal["float32", "bfloat16", "float16", "auto"]
    devices: Count
    seed: Seed
    threads: Annotated[int, Field(ge=1, le=1024)]

    @model_validator(mode="after")
    def _step_epochs_increase(self) -> Self:
        if sorted(set(self.step_epochs)) != self.step_epochs:
            raise ValueError(f"step_epochs {self.step_epochs} must increase")
        return self

    @model_validator(mode="after")
    def _one_cycle_warms_up(self) -> Self:
        if self.schedule == "one_cycle" and not 0 < self.warmup < 1:
            raise ValueError("schedule = 'one_cycle' needs a warmup above 0 and below 1; set warmup to 0.1-0.4")
        return self

    @model_validator(mode="after")
    def _keep_last_has_no_patience(self) -> Self:
        if self.keep == "last" and self.patience:
            raise ValueError("keep = 'last' never stops early; set patience to 0, or keep to loss or accuracy")
        return self
