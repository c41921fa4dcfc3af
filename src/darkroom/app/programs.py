"""The endpoints that programs use; those of MLflow's scoring server answer as it does."""

import asyncio
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from starlette.requests import Request
from starlette.responses import Response

from darkroom.app.answering import request_key
from darkroom.app.invocations import read_invocation
from darkroom.app.outcomes import read_outcomes, record_outcomes
from darkroom.app.parts import Parts
from darkroom.app.replies import Refused, json_reply, query_options, refusing
from darkroom.package.options import read_options

KEY = "X-Request-ID"


@dataclass(frozen=True)
class Programs:
    """The endpoints that programs use."""

    parts: Parts

    async def predict(self, request: Request) -> Response:
        """Answer on the picture that is the body; 422 for one that cannot be answered."""
        with refusing(400):
            key, options = request_key(request.headers.get(KEY)), query_options(request)
        (answer,) = await self.parts.answering([await request.body()], options, key)
        return json_reply({**answer, "request": key}, 422 if answer["error"] else 200, key)

    async def invocations(self, request: Request) -> Response:
        """Answer as MLflow's scoring server does, on JSON."""
        if request.headers.get("content-type", "application/json").split(";")[0].strip() != "application/json":
            raise Refused(415, "send JSON, with the header Content-Type: application/json")
        body = await request.body()
        with refusing(400):
            key = request_key(request.headers.get(KEY))
            values, params = await asyncio.to_thread(read_invocation, body)
            options = read_options(params)
        return json_reply({"predictions": await self.parts.answering(values, options, key)}, 200, key)

    async def outcomes(self, request: Request) -> Response:
        """Record right labels; 404 when the log knows none of the requests."""
        with refusing(400):
            outcomes = read_outcomes(await request.body())
        recorded = await record_outcomes(self.parts.recorder, outcomes)
        found = {"recorded": recorded, "unknown": len(outcomes) - recorded}
        return json_reply(found, 200 if recorded or not outcomes else 404)

    async def metrics(self, _: Request) -> Response:
        """Return the metrics for Prometheus."""
        return Response(self.parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def ping(self, _: Request) -> Response:
        """Say that the model is loaded: the app starts with it."""
        return Response("\n", media_type="application/json")

    async def version(self, _: Request) -> Response:
        """Return the version of MLflow, as its server does."""
        try:
            return Response(version("mlflow"), media_type="application/json")
        except PackageNotFoundError:
            return Response(version("mlflow-skinny"), media_type="application/json")
