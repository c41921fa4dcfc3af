"""What `darkroom watch` does."""

from darkroom.core.errors import UserError
from darkroom.core.files import replacing
from darkroom.core.paths import workspace
from darkroom.watch.report import lines, write_page
from darkroom.watch.watching import watch_traffic


def watch_model(model: str) -> int:
    """Print what is found and write the page; return 1 on drift. Raises UserError, never with the status of drift."""
    try:
        found = watch_traffic(model)
    except UserError as error:
        raise UserError(str(error), 2) from None
    with replacing(workspace() / "reports" / "watch.html") as temporary:
        write_page(temporary, found)
    print("\n".join(lines(found)))
    return int(found.drifted)
