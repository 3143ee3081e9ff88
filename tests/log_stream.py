"""The log of the gateway, as its process configures it, for the time of a test."""

import io
import logging
from contextlib import contextmanager

import structlog

from gateway.telemetry.logs import QUIET, configure_logs


@contextmanager
def logged():
    """Give the stream that has the log; loggers are as they were after the block."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in QUIET}
    stream = io.StringIO()
    configure_logs(stream=stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        for name, level_before in quiet.items():
            logging.getLogger(name).setLevel(level_before)
        structlog.reset_defaults()
