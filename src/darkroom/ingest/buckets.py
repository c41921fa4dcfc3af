"""Buckets: objects below an address of S3, Google Cloud Storage or Azure Blob Storage, read in place."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from darkroom.core.errors import UserError, first_line
from darkroom.ingest.layout import Entry
from darkroom.ingest.stores import SETTINGS, Place, open_store
from darkroom.ingest.tars import DISK_RESERVE
from darkroom.params.data import BUCKET, NO_BUCKET

OBJECT = r"(?i:(?:s3|gs)://[^/@:]+|(?:az|abfss?)://[^/@:]+(?:@[^/@:]+)?)/[^/]"  # the beginning of its address
SINGLE = (".csv", ".parquet", ".zip", ".tar", ".tgz", ".gz", ".tbz2", ".bz2", ".txz", ".xz")
CHUNK = 1 << 25  # bytes: each is a request of its own
# how the libraries of Amazon, Google and Microsoft name a problem, in sentences with request ids and times
CODE = re.compile(r"AWS Error (?:UNKNOWN \(HTTP status (\d+)\)|(\w+))|Status\((\w+):|Azure Error: \[(\w*)\]")
GONE = "no such object"
OF_ONE_OBJECT = (GONE, "access denied", "permission denied", "invalid object state")


@dataclass(frozen=True)
class Bucket:
    """The objects below an address; the location of one is its key, relative to the address."""

    address: str
    labelled: ClassVar[bool] = False

    def walk(self) -> Iterator[Entry]:
        """Yield all objects, listed without a request for each folder; raises UserError."""
        from pyarrow.fs import FileSelector

        place = place_of(self.address)
        try:
            found = open_store(place).get_file_info(FileSelector(place.path, recursive=True))
        except (OSError, ValueError) as error:
            raise UserError(_said(place, "listed", _reason(error, "no such bucket or folder"))) from None
        start = len(place.path) + 1
        for info in found:
            if info.is_file:
                path = info.path[start:]
                if {"", ".", ".."} & set(path.split("/")):
                    yield Entry(path, error="has an empty part, . or .. in its key; rename the object", refused=True)
                else:
                    yield Entry(path, info.size, location=path, remote=True, stamp=info.mtime_ns or 0)

    def read(self, location: str) -> bytes:
        """Return the bytes of one object; raises what `read_object` does."""
        return read_object(f"{self.address.rstrip('/')}/{location}")

    def above(self) -> "Bucket":
        """Return the folder of a single object."""
        return Bucket(self.address.rpartition("/")[0])

    def download(self, folder: Path) -> Path:
        """Return a copy of a single object, with its time, in a folder of its address in `folder`; raises UserError."""
        place = place_of(self.address)
        file = folder / sha256(self.address.encode()).hexdigest() / place.path.rpartition("/")[2]
        file.parent.mkdir()
        try:
            changed = open_store(place).get_file_info(place.path).mtime_ns or 0
            with open_store(place).open_input_file(place.path) as source, file.open("wb") as out:
                if shutil.disk_usage(folder).free - DISK_RESERVE < source.size():
                    raise UserError(f"is too large for {folder.parent}; free some space first", 1)
                while chunk := source.read(CHUNK):
                    out.write(chunk)
            os.utime(file, ns=(changed, changed))
        except (OSError, ValueError) as error:
            raise UserError(_said(place, "read", _reason(error, GONE))) from None
        return file


def is_bucket(address: str) -> bool:
    """Tell whether a source is in a bucket; http and other addresses are not."""
    return re.match(r"(?i:s3|gs|az|abfss?)://", address) is not None


def is_single(address: str) -> bool:
    """Tell whether an address is that of an archive or a table, by its suffix."""
    return address.lower().endswith(SINGLE)


def place_of(address: str) -> Place:
    """Return what an address means; raises UserError."""
    found = BUCKET.fullmatch(address)
    if found is None:
        raise UserError(NO_BUCKET)
    store, bucket, key = (found[1] or "az").lower(), found[2] or found[3], (found[5] or "").rstrip("/")
    host = found[4] or ""
    return Place(store, host.split(".")[0], bucket, f"{bucket}/{key}".rstrip("/"))


def read_object(address: str) -> bytes:
    """Return the bytes of an object.

    Raises OSError when this object is gone or may not be read, and UserError when the store does not answer any more:
    a data set without the pictures that could not be read would be another one.
    """
    place = place_of(address)
    try:
        with open_store(place).open_input_file(place.path) as file:
            return bytes(file.read())
    except (OSError, ValueError) as error:
        reason = _reason(error, GONE)
    if reason in OF_ONE_OBJECT:
        raise OSError(reason)
    raise UserError(f"{address} {_said(place, 'read', reason)}", 1)


def _reason(error: Exception, missing: str) -> str:
    """Return a problem in words that are the same each time; `missing` if nothing has the name."""
    text = str(error)
    if isinstance(error, FileNotFoundError) or text.startswith("No such file"):
        return missing
    found = CODE.search(text)
    if found is None:
        return first_line(error)
    code = next(filter(None, found.groups()), "no connection")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code).replace("_", " ").lower()
    return f"HTTP status {code}" if code.isdigit() else words


def _said(place: Place, done: str, reason: str) -> str:
    return f"cannot be {done}: {reason}; check address, network and credentials ({SETTINGS[place.store]})"
