"""Numbers of bytes in words."""


def size_text(size: int) -> str:
    """Return a number of bytes in decimal units, such as "12.3 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
