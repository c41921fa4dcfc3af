"""What data, machine and plan decide about the network and its training, apart from its epochs."""

from darkroom.begin.choice import Choice
from darkroom.begin.data_rules import split_sizes
from darkroom.begin.plans import Case
from darkroom.models.weights import STANDARD
from darkroom.params.recipes import DEFAULT, TRAINING

GREY = 0.9  # share of the pictures from which a data set counts as grey
CROPPED = (1.1, 2.0)  # longer side / shorter side of pictures of which the middle is taken
ACTIVATIONS = 1500  # bytes for each pixel of a picture in a training step, of the widest networks of the recipes
MEMORY = 0.4  # share of the memory that a training step may take
STEPS = (15, 100)  # of an epoch, at least and at most, as long as that asks for no more than a recipe's own batch
BATCHES = (16, 64)  # pictures: the least, and what is not exceeded for fewer than the most steps


def hardware(case: Case) -> list[Choice]:
    """Return threads, precision, devices."""
    machine = case.machine
    precision = (
        "bfloat16, which is fast on this machine"
        if machine.bfloat16
        else "float32: bfloat16 is not fast on this machine"
    )
    devices = "one GPU, for each batch as a whole" if machine.gpus else "no GPU: the CPU"
    return [
        Choice("train.threads", machine.cores, "one for each core"),
        Choice("train.precision", "auto", precision),
        Choice("train.devices", 1, devices),
    ]


def network(case: Case) -> list[Choice]:
    """Return the values in which the plan's recipe differs from the defaults, and the plan's own changes."""
    default, recipe, plan = case.recipes(DEFAULT), case.recipes(case.plan.recipe), case.plan
    found = {
        f"{section}.{key}": Choice(f"{section}.{key}", value, f"as in the recipe {plan.recipe}")
        for section in TRAINING
        for key, value in recipe[section].items()
        if value != default[section][key]
    }
    key = "model.architecture"
    found[key] = Choice(key, recipe["model"]["architecture"], f"recipe {plan.recipe}: {plan.why}")
    changed = {key: Choice(key, value, reason) for key, (value, reason) in plan.changes.items()}
    return list((found | changed).values())


def search(case: Case) -> list[Choice]:  # noqa: ARG001
    """Return that nothing is searched."""
    return [Choice("tune.enabled", False, "the time goes into one training; the recipes have been searched already")]


def size(case: Case) -> list[Choice]:
    """Return the size of the pictures, and the smaller one of the first epochs."""
    low, typical, high = case.facts.short_sides
    recipe, side = case.recipes(case.plan.recipe), case.plan.size
    shorter = f"shorter sides are {low} to {high}, half of them {typical} or more"
    why = "pixels"
    if "model.weights" in case.plan.changes:
        trained = side == STANDARD
        why += ", for which the weights were trained" if trained else ": smaller is faster, and the time is short"
    found = [Choice("image.size", side, f"{why}; {shorter}")]
    if recipe["train"]["small_epochs"]:
        small = recipe["train"]["small_size"] / recipe["image"]["size"] * side
        found.append(Choice("train.small_size", round(small / 4) * 4, f"for the first epochs, in proportion to {side}"))
    return found


def resize(case: Case) -> list[Choice]:
    """Return how a picture becomes square: of a photograph that is not square, the middle is taken."""
    (low, high), shape = CROPPED, f"the longer side is {case.facts.aspect:.2f} times the shorter one"
    if not low <= case.facts.aspect <= high:
        why = "hardly distorted" if case.facts.aspect < low else "the middle alone would be too little"
        return [Choice("image.resize", "squash", f"{shape}: {why}")]
    if case.facts.grey >= GREY:
        return [Choice("image.resize", "squash", f"{shape}, and most are grey: in a scan the border may matter")]
    return [Choice("image.resize", "crop", f"{shape}: the middle is taken, not distorted")]


def mirror(case: Case) -> list[Choice]:
    """Return whether pictures are mirrored, in training and where answers are averaged."""
    if case.facts.grey < GREY:
        return [Choice("augment.horizontal_flip", True, "pictures in colour seldom have a left and a right")]
    why = f"{case.facts.grey:.0%} are grey: print, writing and scans have a left and a right"
    found = [Choice("augment.horizontal_flip", False, why)]
    averages = case.recipes(case.plan.recipe)["model"]["average"] != "none" or "model.average" in case.plan.changes
    return found + ([Choice("model.average", "none", "nothing is mirrored")] if averages else [])


def batch(case: Case) -> list[Choice]:
    """Return the batch size: the recipe's, or less where it leaves too few steps an epoch or the CPU no memory."""
    wanted = case.recipes(case.plan.recipe)["train"]["batch_size"]
    train, (least, most), (smallest, usual) = split_sizes(case.facts)["train"], STEPS, BATCHES
    few = max(train // most, min(train // least, usual), smallest) // 8 * 8
    count = min(wanted, few)
    steps = f"{-(-train // count)} steps an epoch of {train:,} pictures"
    room = max(int(MEMORY * case.machine.memory / ACTIVATIONS / case.plan.size**2), 1)
    if room < count and not case.machine.gpus:
        return [Choice("train.batch_size", room, f"what {case.machine.memory / 1e9:.1f} GB of memory have room for")]
    return [Choice("train.batch_size", count, steps if count < wanted else f"recipe {case.plan.recipe}: {steps}")]
