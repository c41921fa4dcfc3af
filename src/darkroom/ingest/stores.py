"""The clients of Amazon's, Google's and Microsoft's stores of objects.

How a store is reached, and in whose name, is set by the environment, in the variables that the stores' own tools read.
"""

import os
from datetime import timedelta
from functools import cache
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from darkroom.core.errors import UserError

SETTINGS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_KEY",
}
TRIES = 5  # the pauses between them grow
CONNECT_SECONDS = 10
RETRY_SECONDS = 30  # Google's client tries for 15 minutes otherwise
opening = Lock()


class Place(NamedTuple):
    """What an address means: the store (s3, gs, az), its account (Azure's only), the bucket, the path from there."""

    store: str
    account: str
    bucket: str
    path: str  # bucket/key


def open_store(place: Place) -> Any:
    """Return pyarrow's file system for a place, made once in each process."""
    with opening:  # else each of many threads would make one
        return client(*place[:3])


@cache
def client(store: str, account: str, bucket: str) -> Any:
    """Return the client of a store, as the environment sets it at the first call."""
    return _s3(bucket) if store == "s3" else _google() if store == "gs" else _azure(account, bucket)


def _s3(bucket: str) -> Any:
    """Return a client; where no region is set, a bucket of Amazon's is asked for its own."""
    from pyarrow import fs

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        region=region or ("us-east-1" if endpoint else fs.resolve_s3_region(bucket)),
        endpoint_override=endpoint,
        anonymous=_unsigned("AWS"),
        connect_timeout=CONNECT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=TRIES),
    )


def _google() -> Any:
    from pyarrow.fs import GcsFileSystem

    emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
    url = urlsplit(emulator if "://" in emulator else f"http://{emulator}")
    return GcsFileSystem(
        anonymous=bool(emulator) or _unsigned("GS"),
        scheme=url.scheme if emulator else None,
        endpoint_override=url.netloc or None,
        retry_time_limit=timedelta(seconds=RETRY_SECONDS),
    )


def _azure(account: str, container: str) -> Any:
    """Return a client; without a key or a token Microsoft's library looks for a login (`az login`, a managed one)."""
    from pyarrow.fs import AzureFileSystem, FileSystem

    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    given = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    account = account or given.get("AccountName") or os.environ.get("AZURE_STORAGE_ACCOUNT", "")
    if not account:
        raise UserError(
            f"az://{container} needs an account: set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING"
        )
    if _unsigned("AZURE"):
        address = f"abfs://{container}@{account}.dfs.core.windows.net/?credential_kind=anonymous"
        return FileSystem.from_uri(address)[0]
    url = urlsplit(given.get("BlobEndpoint", ""))
    own = {"blob_storage_authority": url.netloc, "dfs_storage_authority": url.netloc} if url.netloc else {}
    schemes = {"blob_storage_scheme": url.scheme, "dfs_storage_scheme": url.scheme} if url.netloc else {}
    key = given.get("AccountKey") or os.environ.get("AZURE_STORAGE_KEY")
    token = given.get("SharedAccessSignature") or os.environ.get("AZURE_STORAGE_SAS_TOKEN")
    return AzureFileSystem(account, account_key=key, sas_token=None if key else token, **own, **schemes)


def _unsigned(store: str) -> bool:
    """Tell whether requests are to be anonymous, as for public buckets; the variables are GDAL's."""
    return os.environ.get(f"{store}_NO_SIGN_REQUEST", "").upper() in ("YES", "TRUE", "ON", "1")
