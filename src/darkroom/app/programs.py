"""The endpoints that programs use; those of MLflow's scoring server answer as it does."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from starlette.requests import Request
from starlette.responses import Response

from darkroom.app.answering import request_key
from darkroom.app.outcomes import read_outcomes, record_outcomes
from darkroom.app.parts import Parts
from darkroom.app.replies import Refused, json_reply, query_options, refusing

KEY = "X-Request-ID"


@dataclass(frozen=True)
class Programs:
    """The endpoints that programs use."""

    parts: Parts

    async def predict(self, request: Request) -> Response:
        """Answer on the picture that is the body; 422 for one that cannot be answered."""
        with refusing(400):
            key, options = request_key(request.headers.get(KEY)), query_options(request)
        answer = await self.parts.answering(await request.body(), options, key)
        return json_reply({**answer, "request": key}, 422 if answer["error"] else 200, key)

    async def invocations(self, request: Request) -> Response:
        """Answer as MLflow's scoring server does."""
        with refusing(400):
            key = request_key(request.headers.get(KEY))
        body, kind = await request.body(), request.headers.get("content-type")
        reply = await self.parts.answering.whole(body, kind, key)
        return Response(reply.text, reply.status, {KEY: key}, "application/json")

    async def outcomes(self, request: Request) -> Response:
        """Record right labels; 404 when the log knows none of the requests."""
        with refusing(400):
            outcomes = await asyncio.to_thread(read_outcomes, await request.body(), self.parts.models.classes)
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
        """Return the version of MLflow, as its server does; 404 where it is not installed."""
        for name in ("mlflow", "mlflow-skinny"):
            with suppress(PackageNotFoundError):
                return Response(version(name), media_type="application/json")
        raise Refused(404, "MLflow is not installed here")
