"""The body of an HTML form with files: multipart/form-data (RFC 7578)."""

from email.message import Message
from email.parser import BytesHeaderParser

MOST_PARTS = 1000


def read_form(content_type: str, body: bytes) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """Return the fields {name: text} and the files (name of the file, bytes) of a form, in its order.

    Fields that were sent twice keep their last value; a file field in which nothing was chosen gives no file. Raises
    ValueError, in words that quote nothing, for anything else.
    """
    kind = Message()
    kind["content-type"] = content_type
    boundary = kind.get_boundary()
    if kind.get_content_type() != "multipart/form-data" or not boundary:
        raise ValueError("the form is not multipart/form-data")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"), MOST_PARTS)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ValueError("the form is incomplete")
    fields: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    for part in parts[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        header = BytesHeaderParser().parsebytes(head.lstrip())
        file = header.get_filename()
        if file is None:
            fields[str(header.get_param("name", "", "content-disposition"))] = content.decode("utf-8", "replace")
        elif file or content:
            files.append((file.encode("ascii", "surrogateescape").decode("utf-8", "replace"), content))
    return fields, files
