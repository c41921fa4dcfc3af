"""From an address and the environment to the client of a store; nothing is asked."""

import os

import pytest

from darkroom.core.errors import UserError
from darkroom.ingest import stores
from darkroom.ingest.buckets import place_of
from darkroom.ingest.stores import Place, open_store

AZURITE = "http://127.0.0.1:10000/devstoreaccount1"


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "GS_", "STORAGE_EMULATOR")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    stores.client.cache_clear()


def opened(address: str) -> tuple[str, str]:
    """Return the class of the client that an address is opened with, and what it was made of."""
    store = open_store(place_of(address))
    return type(store).__name__, str(store.__reduce__())


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("s3://pets/a/b", Place("s3", "", "pets", "pets/a/b")),
        ("S3://pets/a #?/", Place("s3", "", "pets", "pets/a #?")),
        ("gs://pets", Place("gs", "", "pets", "pets")),
        ("az://pets/a", Place("az", "", "pets", "pets/a")),
        ("az://pets@mine.dfs.core.windows.net/a", Place("az", "mine", "pets", "pets/a")),
        ("abfs://pets/a", Place("az", "", "pets", "pets/a")),
        ("abfss://pets@mine.dfs.core.windows.net/a", Place("az", "mine", "pets", "pets/a")),
    ],
)
def test_an_address_names_store_account_bucket_and_path(address: str, place: Place) -> None:
    assert place_of(address) == place


@pytest.mark.parametrize("address", ["pets", "s3:/pets", "s3a://pets", "s3://k@pets/a", "gs://k:s@pets/a", "s3:///a"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="is no address like"):
        place_of(address)


def test_s3_takes_region_endpoint_and_anonymity_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    kind, made_of = opened("s3://pets")
    assert kind == "S3FileSystem" and "'region': 'eu-west-1'" in made_of and "'anonymous': False" in made_of
    stores.client.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://minio:9000")
    monkeypatch.setenv("AWS_NO_SIGN_REQUEST", "yes")
    monkeypatch.delenv("AWS_REGION")
    made_of = opened("s3://pets")[1]
    for part in ("'endpoint_override': 'http://minio:9000'", "'region': 'us-east-1'", "'anonymous': True"):
        assert part in made_of


def test_google_takes_an_emulator_and_anonymity_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GS_NO_SIGN_REQUEST", "YES")
    kind, made_of = opened("gs://pets")
    assert kind == "GcsFileSystem" and "'anonymous': True" in made_of
    stores.client.cache_clear()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:4443")
    assert "'endpoint_override': '127.0.0.1:4443'" in opened("gs://pets")[1]


def test_azure_takes_account_key_and_endpoint_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="az://pets needs an account: set AZURE_STORAGE_ACCOUNT"):
        opened("az://pets/a")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "mine")
    monkeypatch.setenv("AZURE_STORAGE_KEY", "a2V5")
    kind, made_of = opened("az://pets/a")
    assert kind == "AzureFileSystem" and "'account_name': 'mine'" in made_of and "'account_key': 'a2V5'" in made_of
    text = f"DefaultEndpointsProtocol=http;AccountName=dev;AccountKey=a2V5Mg==;BlobEndpoint={AZURITE};"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", text)
    stores.client.cache_clear()
    made_of = opened("abfss://pets/b")[1]
    for part in ("'account_name': 'dev'", "'account_key': 'a2V5Mg=='", "'blob_storage_authority': '127.0.0.1:10000'"):
        assert part in made_of


def test_azure_may_be_asked_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_NO_SIGN_REQUEST", "YES")
    assert opened("abfss://pets@mine.dfs.core.windows.net/a")[0] == "AzureFileSystem"
