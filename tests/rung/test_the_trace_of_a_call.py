"""One call through real processes is one trace, from the webhook to the tool calls and the responder's page."""

import asyncio
import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.house import house
from bench.people import LinePlan, Town, caller_number, line_number, number
from bench.sections.soak import ANSWERS, EMERGENCY
from workflows.traces import trace_id
from workflows.values import CallSid

PATIENCE_S = 150.0
ABOVE = {
    "StartWorkflow:CallWorkflow": "POST /voice/incoming",
    "RunWorkflow:CallWorkflow": "StartWorkflow:CallWorkflow",
    "RunActivity:add_assistant": "StartActivity:add_assistant",
    "stream": "POST /voice/incoming",
    "attach": "stream",
    "StartWorkflowUpdate:attach": "attach",
    "model session": "stream",
    "tool call": "stream",
    "StartWorkflowUpdate:use_tool": "tool call",
    "RunWorkflow:EscalationWorkflow": "StartChildWorkflow:EscalationWorkflow",
    "RunActivity:place_page_call": "StartActivity:place_page_call",
    "SignalWorkflow:progress": "POST /page/status",
    "SignalWorkflow:caller_ended": "POST /voice/ended",
}


@dataclass
class Collector:
    """Takes spans as an OpenTelemetry collector does. by_name: the spans of one trace."""

    url: str = ""
    services: set[str] = field(default_factory=set[str])
    spans: list[Span] = field(default_factory=list[Span])
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        packed = request.headers.get("content-encoding") == "gzip" and body[:2] == b"\x1f\x8b"
        sent = ExportTraceServiceRequest.FromString(gzip.decompress(body) if packed else body)
        for of_process in sent.resource_spans:
            names = {one.key: one.value.string_value for one in of_process.resource.attributes}
            self.services.add(names["service.name"])
            self.spans += [span for scope in of_process.scope_spans for span in scope.spans]
        self.came.set()
        return web.Response()

    async def until(self, *names: str) -> None:
        """Wait until spans of these names have come."""
        async with asyncio.timeout(PATIENCE_S):
            while not set(names) <= {span.name for span in self.spans}:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def collecting() -> AsyncGenerator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield collector
    await runner.cleanup()


@pytest.mark.long  # a whole conversation in real time, through real processes
@pytest.mark.timeout(300)
async def test_one_call_is_one_trace_through_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(people=1, lines=[LinePlan(((0,),), wait_s=600)], calls={0: [ANSWERS]})
    async with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "500")
        async with house(town, speech="light") as home:
            call = CallSid(await home.network.dial(caller_number(0), line_number(0), EMERGENCY))
            await collector.until("tool call", "RunActivity:place_page_call", "RunActivity:confirm_coaching")
            await home.network.hang_up(call)
            await collector.until("SignalWorkflow:caller_ended", "stream", "model session")

    of_call = [span for span in collector.spans if int.from_bytes(span.trace_id, "big") == trace_id(call)]
    names = {span.span_id: span.name for span in of_call}
    above = {(span.name, names.get(span.parent_span_id, "")) for span in of_call}

    assert collector.services == {"rung-api", "rung-worker", "rung-bridge"}
    assert set(ABOVE.items()) <= above
    assert [span.name for span in of_call if span.parent_span_id not in names] == ["POST /voice/incoming"]
    told = str(collector.spans)
    assert not [who for who in (caller_number(0), number(0), line_number(0)) if who[1:] in told]
