"""The section of params.yaml about the search for hyper-parameters."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from darkroom.params.section import Count, Section, Seed

SEARCHED = ("model", "train", "augment", "image", "finetune")  # sections whose keys may be searched
Objective = Literal[
    "accuracy",
    "precision_macro",
    "precision_weighted",
    "recall_macro",
    "recall_weighted",
    "f1_macro",
    "f1_weighted",
    "roc_auc",
    "log_loss",
]
Cost = Literal["parameters", "multiply_adds", "kilobytes", "latency"]


class Range(Section):
    """A number between `low` and `high`, drawn where the keys in `when` have one of the values named there."""

    low: float | int
    high: float | int
    log: bool = False
    step: float | int | None = None
    when: dict[str, list[Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0 and no step")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(f"step ({self.step}) must be above 0 and at most high - low")
        return self


class Choices(Section):
    """One of the listed values, drawn where the keys in `when` have one of the values named there."""

    choices: Annotated[list[Any], Field(min_length=1)]
    when: dict[str, list[Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        for place, choice in enumerate(self.choices):
            before = self.choices[:place]
            if choice in before:
                raise ValueError(f"choices names {choice} twice")
            if str(choice) in map(str, before):  # Optuna records the texts
                raise ValueError(f"choices names {choice} as a number and as a text; remove one of them")
        return self


def _kind_of_space(value: Any) -> str:
    """Return which of the two a user meant, so that messages are about that one."""
    return "Choices" if isinstance(value, Choices) or (isinstance(value, dict) and "choices" in value) else "Range"


Space = Annotated[Annotated[Range, Tag("Range")] | Annotated[Choices, Tag("Choices")], Discriminator(_kind_of_space)]


class Tune(Section):
    """The search for better hyper-parameters."""

    enabled: bool
    trials: Annotated[int, Field(ge=0)]
    minutes: Annotated[float, Field(ge=0)]
    epochs: Count
    metric: Objective
    costs: list[Cost]
    tolerance: Annotated[float, Field(ge=0)]
    sampler: Literal["tpe", "random", "qmc", "grid", "cmaes", "nsga2"]
    pruner: Literal["none", "halving", "hyperband", "median"]
    batch: Annotated[int, Field(ge=0)]
    finalists: Annotated[int, Field(ge=0)]
    fresh_seeds: Count
    seed: Seed
    space: dict[Literal["model", "train", "augment", "image", "finetune"], dict[str, Space]]

    @model_validator(mode="after")
    def _has_a_budget(self) -> Self:
        if not self.trials and not self.minutes:
            raise ValueError("trials and minutes are both 0, so the search would never end; set one of them")
        return self

    @model_validator(mode="after")
    def _fits_its_costs(self) -> Self:
        if len(set(self.costs)) < len(self.costs):
            raise ValueError(f"costs {self.costs} names one twice; remove it")
        if self.costs and self.sampler == "cmaes":
            raise ValueError("sampler cmaes optimises one objective; remove costs, or choose another sampler")
        if self.costs and self.pruner != "none":
            raise ValueError(f"pruner {self.pruner} would stop cheap networks; set it to none, or remove costs")
        return self
