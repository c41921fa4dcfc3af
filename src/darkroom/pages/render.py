"""A report as one self-contained HTML page: the template of a stage, filled in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def render(template: Path, content: Mapping[str, Any]) -> bytes:
    """Return the page as UTF-8; the same bytes for the same content.

    The template extends base.html.j2: it sets `title` and `sections` ((id, name) of each), fills the block `main`, and
    the block `script` when it has no table to search or no pictures to enlarge. Texts are escaped; macros.html.j2 draws
    what reports have in common. Raises jinja2.UndefinedError when the template names what `content` lacks.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(content).encode("utf-8", "replace")
