"""Logs as lines of JSON on stderr, without the texts of foreign exceptions."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

QUIET = (
    "httpx",
    "httpcore",
    "authlib",
    "dicomweb_client",
    "multipart",
    "python_multipart",
    "asyncio",
    "urllib3",
    "uvicorn.access",
)
"""Loggers that name addresses, which may hold codes and names; of them only warnings are wanted."""


def configure_logs(level: str = "info", stream: TextIO = sys.stderr) -> None:
    """Send what structlog and Python's logging are told to a stream, a JSON object a line.

    level: the least that is told of.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        failure_without_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
            foreign_pre_chain=shared,
            # Else the text of the exception would be appended, whatever the processors do.
            use_get_message=True,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def failure_without_text(
    _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception by its type and place: its text may quote a patient's attributes."""
    stated = event.pop("exc_info", None)
    record = event.get("_record")
    if record is not None and record.exc_info:
        stated, record.exc_info, record.exc_text = record.exc_info, None, None
    error = stated[1] if isinstance(stated, tuple) else sys.exc_info()[1] if stated else None
    if error is not None:
        event["failure"] = place_of(error)
    return event


def place_of(error: BaseException) -> str:
    """Return the type of an exception and where it came up, as `KeyError in read (a.py:7)`."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name} ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{where}"
