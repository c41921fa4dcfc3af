"""A local server that speaks S3: moto's, in threads of the test's process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from darkroom.ingest import stores

NAMES = ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_PROFILE", "AWS_NO_SIGN_REQUEST")


def use_endpoint(patch: pytest.MonkeyPatch, address: str) -> None:
    """Let S3 be at `address`, for keys that are right there."""
    stores.client.cache_clear()
    for name in NAMES:
        patch.delenv(name, raising=False)
    for name, value in (("ACCESS_KEY_ID", "me"), ("SECRET_ACCESS_KEY", "secret"), ("DEFAULT_REGION", "us-east-1")):
        patch.setenv(f"AWS_{name}", value)
    patch.setenv("AWS_ENDPOINT_URL", address)


@contextmanager
def s3_server() -> Iterator[str]:
    """Yield the address of a server without buckets; it writes no log."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def put(address: str, bucket: str, files: dict[str, bytes]) -> None:
    """Write {key: bytes} to a bucket, which is made first."""
    import boto3

    client = boto3.client("s3", endpoint_url=address)
    client.create_bucket(Bucket=bucket)
    for key, data in files.items():
        client.put_object(Bucket=bucket, Key=key, Body=data)
