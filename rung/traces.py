"""Where traces go: nowhere, unless OpenTelemetry's own environment says so.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or the one for traces alone) sends them to a collector, `OTEL_TRACES_EXPORTER=console`
writes them to standard error. Sampler, headers and time-outs are read by OpenTelemetry itself.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module

from temporalio.client import Interceptor

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
EXPORTER = "OTEL_TRACES_EXPORTER"
DISABLED = "OTEL_SDK_DISABLED"
INSTALL = "pip install 'rung[traces]'"


class TracesError(Exception):
    """Traces were asked for and cannot be had; the message says what to do."""


def wanted(environment: Mapping[str, str]) -> str | None:
    """`otlp`, `console`, or None where no traces are asked for. Raises TracesError for any other exporter."""
    named = environment.get(EXPORTER, "").strip().lower()
    if named == "none" or environment.get(DISABLED, "").strip().lower() == "true":
        return None
    if named not in {"", "otlp", "console"}:
        raise TracesError(f"{EXPORTER}={named}: there are otlp, console and none")
    if named:
        return named
    return "otlp" if any(environment.get(name) for name in ENDPOINTS) else None


@contextmanager
def sending(service: str, environment: Mapping[str, str]) -> Generator[Sequence[Interceptor]]:
    """Send the traces of this process while the block runs, if the environment asks for them.

    Gives what Temporal's clients are connected with. What is under way at the end is sent. Raises TracesError.
    """
    where = wanted(environment)
    if where is None:
        yield ()
        return
    try:
        kit = import_module("rung.trace_kit")
    except ImportError as error:
        raise TracesError(f"traces are asked for, but {error.name or error} is missing: {INSTALL}") from error
    end: Callable[[], None] = kit.begin(service, where)
    made: Sequence[Interceptor] = kit.interceptors()
    try:
        yield made
    finally:
        end()
