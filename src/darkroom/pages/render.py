"""HTML reports from templates that extend `base.html.j2`: one file each, which needs nothing else."""

from collections.abc import Mapping
from pathlib import Path


def render(template: Path, content: Mapping[str, object]) -> bytes:
    """Return the page, UTF-8 HTML, that a Jinja template makes of `content`; the same bytes for the same content.

    The template may extend `base.html.j2` and import the macros of `elements.html.j2`. Texts are escaped; a lone
    surrogate of a file name becomes a question mark. Raises jinja2.UndefinedError for a name that `content` lacks.
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
