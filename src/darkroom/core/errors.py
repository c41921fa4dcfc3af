"""The one exception that a user is meant to see."""


class UserError(Exception):
    """A mistake that the user can mend; its text says what, where and how to mend it.

    `status` is the exit status: 1 for a failed check, 2 for usage (parameters, paths, commands).
    """

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def first_line(error: BaseException) -> str:
    """Return what an exception says in one line; its type when it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
