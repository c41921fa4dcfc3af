"""The body of an HTML form with files: multipart/form-data (RFC 7578)."""

from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser

MOST = 50  # pictures in one form
FIELDS = 10  # besides them
HEAD = 2000  # bytes of the header of a part: the standard library parses longer ones in quadratic time
FIELD = 1000  # bytes of a field that is not a file
Files = list[tuple[str, memoryview]]


def read_form(content_type: str, body: bytes) -> tuple[dict[str, str], Files]:
    """Return the fields {name: text} and the files (name of the file, its part of `body`) of a form, in its order.

    Fields that were sent twice keep their last value; a file field in which nothing was chosen gives no file. Raises
    ValueError, in words that quote nothing, for anything else.
    """
    kind = Message()
    kind["content-type"] = content_type[:HEAD]
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        raise ValueError("the form is not multipart/form-data")
    fields: dict[str, str] = {}
    files: Files = []
    for start, end in _parts(body, b"--" + boundary.encode("latin-1", "replace")):
        name, file, content = _part(body, start, end)
        if file is None:
            if len(content) > FIELD:
                raise ValueError(f"a field of the form may hold {FIELD:,} bytes")
            fields[name] = bytes(content).decode("utf-8", "replace")
        elif file or content:
            files.append((file, content))
    if len(files) > MOST:
        raise ValueError(f"a form may hold {MOST} pictures")
    return fields, files


def _parts(body: bytes, mark: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the parts of a form begin and end; `mark` is the boundary with its two dashes."""
    place = len(mark) if body.startswith(mark) else -1
    if place < 0 and (found := body.find(b"\r\n" + mark)) >= 0:
        place = found + 2 + len(mark)
    number = 0
    while place >= 0 and not body.startswith(b"--", place):
        number += 1
        if number > MOST + FIELDS:
            raise ValueError(f"a form may hold {MOST} pictures")
        end = body.find(b"\r\n" + mark, place)
        if end >= 0:
            yield place, end
        place = end + 2 + len(mark) if end >= 0 else -1
    if place < 0:
        raise ValueError("the form is incomplete")


def _part(body: bytes, start: int, end: int) -> tuple[str, str | None, memoryview]:
    """Return the name of a field, that of its file (None without), and the content of the part."""
    split = body.find(b"\r\n\r\n", start, min(end, start + HEAD))
    if split < 0 and end - start > HEAD:
        raise ValueError("a part of the form has too long a header")
    split = end if split < 0 else split
    header = HeaderParser().parsestr(body[start:split].decode("utf-8", "replace").lstrip())
    try:
        file = header.get_filename()
    except ValueError:  # which quotes a charset that none is
        raise ValueError("the name of a file in the form cannot be read") from None
    if file is not None:
        file = file.encode("utf-8", "replace").decode().replace("\0", "")
    name = str(header.get_param("name", "", "content-disposition"))
    return name, file, memoryview(body)[min(split + 4, end) : end]
