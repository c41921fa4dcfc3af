"""Which requests the challenger answers."""

from hashlib import sha256

LEVELS = 2**64


def goes_to_challenger(request: str, share: float) -> bool:
    """Return whether the challenger answers the request with this key, as it does for a `share` (0-1) of all keys.

    A key has the same fate in every process, and one that goes to the challenger stays there when the share is raised.
    """
    level = int.from_bytes(sha256(request.encode("utf-8", "replace")).digest()[:8], "big")
    return level < share * LEVELS
