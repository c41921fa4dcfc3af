"""The exception whose message is meant for users."""


class UserError(Exception):
    """A mistake that the user can correct; the message names it, its place and the remedy.

    `status` is the exit status: 1 for a failed check, 2 for usage (parameters, paths, commands).
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message; its type when the message is empty."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
