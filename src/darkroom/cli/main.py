"""The `darkroom` command."""

import argparse
import sys

from darkroom.core.errors import UserError
from darkroom.execution.quiet import silence_libraries


def main(arguments: list[str] | None = None) -> None:
    """Run one command; a user's error is one line and exit status 1 or 2."""
    chosen = _parser().parse_args(arguments)
    silence_libraries()
    try:
        sys.exit(_run(chosen))
    except UserError as error:
        print(f"darkroom {chosen.command}: {error}", file=sys.stderr)
        sys.exit(error.status)
    except KeyboardInterrupt:
        print(f"darkroom {chosen.command}: stopped; nothing half-written is left", file=sys.stderr)
        sys.exit(130)


def _run(chosen: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    if chosen.command == "recipe":
        from darkroom.cli.recipe import apply_recipe, list_recipes

        return apply_recipe(chosen.name) if chosen.name else list_recipes()
    if chosen.command == "params":
        from darkroom.cli.show import show_params

        return show_params(chosen.key)
    if chosen.command == "accept":
        from darkroom.cli.accept import accept

        return accept()
    if chosen.command == "rates":
        from darkroom.cli.rates import try_rates

        return try_rates()
    from darkroom.cli.doctor import examine

    return examine(chosen.fix)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("darkroom", description="A folder of pictures into a served image classifier.")
    commands = parser.add_subparsers(dest="command", required=True)
    recipe = commands.add_parser("recipe", help="write a recipe into params.yaml; without a name, list the recipes")
    recipe.add_argument("name", nargs="?")
    params = commands.add_parser("params", help="check params.yaml and print what holds")
    params.add_argument("key", nargs="?", help="print one value only, for example train.epochs")
    commands.add_parser("accept", help="make the validated data the one that later data is compared with")
    commands.add_parser("rates", help="try which learning rates the network of params.yaml can take")
    doctor = commands.add_parser("doctor", help="check the environment, the MLflow store and a tiny training")
    doctor.add_argument("--fix", action="store_true", help="mend what can be mended: artefacts of a moved repository")
    return parser
