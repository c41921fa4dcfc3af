"""The password that the app asks for, by HTTP Basic authentication (RFC 7617)."""

import base64
import binascii
import hmac
from pathlib import Path

from darkroom.core.errors import UserError


class Password:
    """A password, read from the first line of a file."""

    def __init__(self, file: Path) -> None:
        """Read the file; raises UserError when there is none, or no password in it."""
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            raise UserError(f"--password-file {file}: cannot be read; give a text file with the password") from None
        if not lines or not lines[0].strip():
            raise UserError(f"--password-file {file}: its first line is empty; write the password there")
        self._secret = lines[0].strip().encode()

    def opens(self, header: str) -> bool:
        """Return whether the header Authorization carries the password, with any user name."""
        kind, _, encoded = header.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True).partition(b":")[2] if kind.lower() == "basic" else b""
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(given, self._secret)  # in the same time whatever is wrong
