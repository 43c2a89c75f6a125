"""Logs of a process: short events with keys and values, JSON for machines, colours for a terminal.

Everything a process says passes here: our events, and what Temporal's SDK and the web server log. The last
step masks telephone numbers in the finished line, wherever in it they came from, tracebacks included.
Standard error carries the logs; standard output is kept for READY and for what a command answers.
"""

import logging
import logging.config
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, cast

import structlog
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from rung.settings import Settings

# E.164, spaced or not, and as it looks inside a URL. Seven digits are the shortest numbers in use.
NUMBER = re.compile(r"(?:\+|%2B)(\d(?:[ .()\-\u00a0]{0,2}\d){6,14})(?!\d)", re.IGNORECASE)
SHOWN = 4  # of the last digits, so that two numbers can be told apart

QUIET = {
    "httpx": "WARNING",
    "aiohttp": "WARNING",
    "twilio": "WARNING",  # its client logs whole requests, numbers and words included
    "uvicorn.access": "WARNING",  # paths carry signed links; a webhook logs its own event
    "asyncio": "WARNING",
    "apprise": "WARNING",  # tells that it notifies; what came of it is our own event
    "websockets": "WARNING",  # a line for each stream; the bridge logs its own
}


def set_up(settings: Settings) -> None:
    """Route every log of this process to standard error, as the settings say."""
    level = settings.log_level.upper()
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
        structlog.processors.format_exc_info,  # as text: no source lines' locals, no frames drawn around it
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=True, pad_event_to=32)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "rung": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [
                        *shared,
                        structlog.stdlib.ExtraAdder(),
                        structlog.stdlib.add_logger_name,
                        of_temporal,
                    ],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        renderer,
                        mask_line,
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "rung"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {name: {"level": at_least} for name, at_least in QUIET.items()},
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    workflow.logger.workflow_info_on_message = False  # it comes as keys and values
    activity.logger.activity_info_on_message = False
    _forward_temporal_core()


def mask(text: str) -> str:
    """Replace every telephone number by its country and its last four digits: +1•••0142."""
    return NUMBER.sub(_masked, text)


def mask_line(_logger: WrappedLogger, _method: str, line: EventDict | str) -> str:
    """The processor after the renderer: nothing in the line escapes it."""
    return mask(str(line))


def of_temporal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say with our own keys which workflow or activity a line of the SDK is about."""
    about: dict[str, object] = {}
    for key in ("temporal_workflow", "temporal_activity"):
        details = event.pop(key, None)
        if isinstance(details, Mapping):
            about |= cast("Mapping[str, object]", details)
    core = event.pop("temporal_log", None)
    fields: object = getattr(core, "fields", None)
    if isinstance(fields, Mapping):
        about |= cast("Mapping[str, object]", fields)
    _rename(about, event)
    return event


def _rename(about: Mapping[str, object], event: MutableMapping[str, Any]) -> None:
    for theirs, ours in (
        ("workflow_id", "workflow"),
        ("run_id", "run"),
        ("activity_type", "activity"),
        ("attempt", "attempt"),
        ("failure", "failure"),
        ("error", "error"),
    ):
        if theirs in about:
            event.setdefault(ours, about[theirs])


def _masked(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[1])
    return f"+{_country(digits)}•••{digits[-SHOWN:]}"


def _country(digits: str) -> str:
    """The country code that a number begins with; its first digit if there is none."""
    lengths = (1, 2, 3)
    return next((digits[:n] for n in lengths if int(digits[:n]) in COUNTRY_CODE_TO_REGION_CODE), digits[:1])


def _forward_temporal_core() -> None:
    """Let the SDK's native part log through Python; by itself it writes to standard output.

    Effective for clients made afterwards, so logs are set up before connecting.
    """
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    logging_config = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
    )
    Runtime.set_default(
        Runtime(telemetry=TelemetryConfig(logging=logging_config)), error_if_already_set=False
    )
