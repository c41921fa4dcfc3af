"""What `darkroom watch` does."""

from darkroom.core.errors import UserError, first_line
from darkroom.core.files import replacing
from darkroom.core.paths import workspace
from darkroom.tracking.store import redacted
from darkroom.watch.report import lines, write_page
from darkroom.watch.watching import Watched, watch_traffic


def watch_model(model: str) -> int:
    """Print what is found and write the page; return 1 on drift.

    Any failure is a UserError with the status 2: a schedule starts a training on 1, which Python also ends with when
    it is taken by surprise.
    """
    try:
        found = _watch(model)
    except UserError as error:
        raise UserError(str(error), 2) from None
    except Exception as error:
        cause = f"{type(error).__name__}: {redacted(first_line(error))[:200]}"
        raise UserError(f"the traffic cannot be watched: {cause}; check with `darkroom doctor`", 2) from None
    return int(found.drifted)


def _watch(model: str) -> Watched:
    found = watch_traffic(model)
    page = workspace() / "reports" / "watch.html"
    with replacing(page) as temporary:
        write_page(temporary, found)
    print("\n".join(lines(found)), flush=True)
    return found
