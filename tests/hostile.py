"""Requests that no server should answer, or not in full: each a content type and a body, all of them small."""

import base64
import json
import random
from collections.abc import Iterator

from PIL import Image

from pictures import encode, png_header

JSON = "application/json"
FORMS = ("dataframe_split", "dataframe_records", "inputs", "instances")


def bodies(chance: random.Random) -> Iterator[tuple[str | None, bytes]]:
    """Yield requests without end."""
    good = encode(Image.effect_noise((40, 30), 80).convert("RGB"), "JPEG")
    text = base64.b64encode(good).decode()
    whole = json.dumps({"inputs": [text]}).encode()
    while True:
        noise = chance.randbytes(chance.randrange(1, 3000))
        yield JSON, noise
        yield JSON, whole[: chance.randrange(1, len(whole))]
        yield chance.choice([None, "text/csv", "application/vnd.apache.parquet", "image/png", "a/b; charset=x"]), whole
        yield JSON, b"[" * chance.randrange(1, 200_000)
        yield JSON, b'{"inputs": ' + b"9" * chance.randrange(5000, 9000) + b"}"
        yield JSON, json.dumps(chance.choice([None, 3, "x", [], {}, {"inputs": 1, "instances": 2}])).encode()
        for value in (
            *(
                base64.b64encode(noise).decode(),
                text[: chance.randrange(8, 400)],
                base64.b64encode(bomb(chance)).decode(),
            ),
            *(chance.choice([True, 0.5, -1, {}, {"a": 1}, [[]], [[1], [2, 3]], [[300]]]), [["secret"]], "data:,x"),
        ):
            yield JSON, json.dumps({"instances": [{"image": value}]}).encode()
        yield JSON, json.dumps({chance.choice(FORMS): chance.choice([None, 1, {}, {"columns": 3}, [1], [{}]])}).encode()
        yield JSON, json.dumps({"inputs": [text], "params": wrong_params(chance)}).encode()
        yield JSON, json.dumps({"inputs": [""] * 10_000}).encode()


def wrong_params(chance: random.Random) -> object:
    """Return params that no request may have."""
    return chance.choice([3, [], {"top": -1}, {"coverage": 2}, {"threshold": "a"}, {"explain": "yes"}, {"secret": 1}])


def bomb(chance: random.Random) -> bytes:
    """Return a small file that declares, or holds, a picture far too large."""
    side = chance.choice([20_000, 60_000])
    return chance.choice([png_header(side, side), encode(Image.new("L", (6000, 6000)))])
