"""What `darkroom begin` does, step by step: look, place, choose, print, write."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from darkroom.begin.choice import Choice
from darkroom.begin.data_rules import model_name
from darkroom.begin.facts import Facts, Proposal
from darkroom.begin.machine import this_machine
from darkroom.begin.place import place_and_look
from darkroom.begin.plans import BACKBONES, PHOTOS
from darkroom.begin.rules import choose, choose_data
from darkroom.begin.speed import Speed, measure_speed
from darkroom.begin.write import shown, undecided, write_choices
from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS, report_path, workspace
from darkroom.experiments.table import aligned
from darkroom.ingest.buckets import is_bucket
from darkroom.models.weights import Internet, find_weights, how_to_get_weights
from darkroom.params.load import Overlay, leaves, load_params, read_yaml, with_overlay
from darkroom.params.recipes import NETWORK, default_sections, recipe_network


def begin(path: str, minutes: float, data_only: bool, dry: bool) -> int:
    """Choose and print everything, and write params.yaml unless `dry`; return the exit status."""
    if is_bucket(path):
        raise UserError(f"{path} is read in place: set ingest.source to it in params.yaml; begin looks at files only")
    root = workspace()
    before = load_params(root / "params.yaml")  # a mistake in it is reported before anything is placed
    placed, facts, found = place_and_look(path, root, dry)
    proposals = undecided(root, facts.source, found)
    print(placed.sentence, described(facts), sep="\n")
    choices = choose_data(facts) if data_only else _choose_all(root, facts, minutes, dry)
    if facts.source != before.ingest.source and (root / report_path("package")).exists():
        choices.append(model_name(facts.source))
    choices = _in_order(root, choices)
    changes = write_choices(root, choices, proposals, with_network=not data_only, dry=dry)
    print("\n".join(["", *table(choices), *proposed(proposals), "", closing(len(changes), dry)]))
    return 0


def _in_order(root: Path, choices: list[Choice]) -> list[Choice]:
    """Return the choices in the order of params.yaml."""
    places = {key: place for place, key in enumerate(leaves(read_yaml(root / "params.yaml")))}
    return sorted(choices, key=lambda choice: places.get(choice.key, -1))


def _choose_all(root: Path, facts: Facts, minutes: float, dry: bool) -> list[Choice]:
    print("measuring how quickly this machine trains", flush=True)
    weights = partial(_weights, root / ARTEFACTS["weights"], Internet(reachable=not dry))
    machine = this_machine(weights, partial(_measure, root, facts))
    choices = choose(facts, machine, minutes, partial(recipe_network, root))
    if facts.short_sides[1] >= PHOTOS and not any(choice.key == "model.weights" for choice in choices):
        missing = "a dry run does not look on the internet for weights" if dry else how_to_get_weights(*BACKBONES[0])
        print(f"{missing}; from scratch the network will be much less accurate")
    return choices


def _weights(folder: Path, internet: Internet, architecture: str, width: float, size: int) -> str:
    return find_weights(architecture, width, folder, size, internet)


def _measure(root: Path, facts: Facts, overlay: Overlay) -> Speed:
    defaults = default_sections(root, NETWORK)  # as write_choices does: nothing of an earlier network stays
    whole = {section: {**defaults.get(section, {}), **overlay.get(section, {})} for section in {**defaults, **overlay}}
    params = with_overlay(load_params(root / "params.yaml"), whole, "params.yaml")
    return measure_speed(params, (facts.short_sides[1], facts.aspect), len(facts.classes), root / ARTEFACTS["weights"])


def described(facts: Facts) -> str:
    """Return what is known of the data in one line."""
    splits = ", ".join(f"{count:,} {name}" for name, count in facts.splits.items())
    low, typical, high = facts.short_sides
    sides = f"shorter sides {low} to {high} pixels, half of them {typical} or more"
    sides = sides if low < high else f"shorter side {low} pixels"
    return f"{facts.pictures:,} pictures of {len(facts.classes)} classes{f' ({splits})' if splits else ''}; {sides}"


def table(choices: Sequence[Choice]) -> list[str]:
    """Return a line for each value with its reason."""
    return aligned([(choice.key, shown(choice.value), choice.reason) for choice in choices])


def proposed(proposals: Sequence[Proposal]) -> list[str]:
    """Return what the user must decide, below a heading."""
    if not proposals:
        return []
    rows = aligned([(f"  {one.key}", one.value, one.reason) for one in proposals])
    return ["", "proposed, for you to decide (the lines are in params.yaml as comments):", *rows]


def closing(changed: int, dry: bool) -> str:
    """Return the last line, which says what changed and what comes next."""
    values = "1 value" if changed == 1 else f"{changed} values"
    if dry:
        return f"nothing was written; without --dry-run {values} of params.yaml would change"
    return f"params.yaml: {values} changed, the reason is above each key; next: make repro"
