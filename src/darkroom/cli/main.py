"""The `darkroom` command."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli import ab_command as ab_command
from darkroom.cli import app_command as app_command
from darkroom.cli import begin_command as begin_command
from darkroom.cli import compare_command as compare_command
from darkroom.cli import export_commands as export_commands
from darkroom.cli import release_commands as release_commands
from darkroom.cli import runs_commands as runs_commands
from darkroom.cli import watch_command as watch_command
from darkroom.cli.command import Command, app
from darkroom.core.errors import UserError
from darkroom.execution.quiet import silence_libraries


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit: 0, or 1 for a failed check, 2 for wrong usage, 130 after Ctrl-C, 143 after SIGTERM."""
    silence_libraries()
    app(args=arguments, prog_name="darkroom")


def _complete_recipe(incomplete: str) -> list[str]:
    from darkroom.core.paths import workspace
    from darkroom.params.recipes import recipe_files

    return [name for name in recipe_files(workspace()) if name.startswith(incomplete)]


def _complete_key(incomplete: str) -> list[str]:
    from darkroom.cli.show import parameter_keys

    with suppress(UserError):  # a mistake in params.yaml is the command's to report
        return [key for key in parameter_keys() if key.startswith(incomplete)]
    return []


@app.command(cls=Command)
def recipe(
    name: Annotated[str | None, typer.Argument(help="The recipe.", autocompletion=_complete_recipe)] = None,
    data: Annotated[bool, typer.Option("--data", help="Also set the data that the recipe was measured on.")] = False,
) -> int:
    """Apply a recipe to params.yaml, or list the recipes.

    A recipe sets the network and its training. Your data settings (ingest, validate, dedupe, balance, split) stay
    as they are, unless you ask for --data. Comments are kept; every change is printed.

    \b
    Examples:
      darkroom recipe                     list the recipes
      darkroom recipe small               train your own pictures with the recipe "small"
      darkroom recipe cifar10-cnn --data  repeat a measured result, its data and split included
      darkroom recipe digits              restore the defaults, those of the data too
    """
    from darkroom.cli.recipe import apply_recipe, list_recipes

    if name:
        return apply_recipe(name, data)
    if data:
        raise UserError("--data needs the name of a recipe; `darkroom recipe` lists them")
    return list_recipes()


@app.command(cls=Command)
def params(
    key: Annotated[
        str | None, typer.Argument(help="One section or value, such as train.epochs.", autocompletion=_complete_key)
    ] = None,
) -> int:
    """Check params.yaml and print the effective values.

    \b
    Examples:
      darkroom params                     every value
      darkroom params train               one section
      darkroom params train.epochs        one value, for use in scripts
    """
    from darkroom.cli.show import show_params

    return show_params(key)


@app.command(cls=Command)
def accept() -> int:
    """Accept the validated data as reference for drift.

    Writes data/accepted.json; from then on `validate` warns when later data has moved away from it.
    """
    from darkroom.cli.accept import accept_data

    return accept_data()


@app.command(cls=Command)
def rates() -> int:
    """Suggest a learning rate, by a range test.

    Trains the network of params.yaml for a moment at rising rates. Writes reports/learning_rates.png and suggests a
    value for train.learning_rate.
    """
    from darkroom.cli.rates import suggest_learning_rate

    return suggest_learning_rate()


Inputs = Annotated[
    list[str], typer.Argument(help="Files, folders, quoted globs, archives, tables with a column path, or -.")
]
Served = Annotated[str, typer.Option("--model", help="champion, a version number, or a folder such as models.")]


@app.command(cls=Command)
def predict(
    paths: Inputs,
    model: Served = "champion",
    output: Annotated[Path | None, typer.Option("--output", help="A .csv, .jsonl or .parquet file.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many classes, the most probable first.")] = 1,
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page with the pictures.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show in that page where the network looks.")] = False,
) -> int:
    """Predict the classes of pictures.

    Prints CSV, or writes --output, with the columns path, label, score, set, abstains, error. A file that cannot be
    read has the reason in its row, and the exit status is then 1. A run with --output that was stopped goes on when
    the same command is given again.

    \b
    Examples:
      darkroom predict photos                             every picture below a folder, by the champion
      darkroom predict 'in/**/*.jpg' --output out.csv     a file instead of stdout
      darkroom predict new.zip --model models --top 3     the model of the workspace, three classes
      darkroom predict new.zip --html new.html --explain  a page with pictures and heat maps
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy's threads wait in loops, on cores that the network needs
    from darkroom.cli.predict import Request, predict_files

    return predict_files(Request(paths, model, output, top, html, explain))


@app.command(cls=Command)
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Repair MLflow's paths after the repository was moved.")] = False,
) -> int:
    """Check that everything is installed and works.

    Checks the environment, params.yaml, the MLflow store, the champion, accelerators and one training step. Each
    line that says FAIL names the command that repairs it; the exit status is then 1.
    """
    from darkroom.cli.doctor import run_checks

    return run_checks(fix)
