"""A Triton for the time of a block: watched and brought back, or just run."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.engine import preflight, regions
from tools.engine.installation import find_installation
from tools.engine.process import TritonProcess
from tools.engine.settings import EngineSettings
from tools.engine.state import EngineState
from tools.engine.state_page import state_page
from tools.engine.supervisor import Supervisor


@contextmanager
def running(settings: EngineSettings) -> Iterator[TritonProcess]:
    """Run Triton unwatched; when the block starts, it has answered a study.

    Raises EngineError if it cannot run, or does not start.
    """
    preflight.refuse(settings)
    regions.remove_leftovers()
    process = TritonProcess(settings, find_installation())
    try:
        process.wait_for_canary()
        yield process
    finally:
        process.stop()


@contextmanager
def supervised(settings: EngineSettings) -> Iterator[Supervisor]:
    """Run Triton with its state page; the block calls `run` of the supervisor to have it watched.

    Raises EngineError if it cannot run, or does not start.
    """
    preflight.refuse(settings)
    regions.remove_leftovers()
    state = EngineState()
    supervisor = Supervisor(settings, find_installation(), state)
    with state_page(state, settings.address, settings.state_port):
        supervisor.start()
        try:
            yield supervisor
        finally:
            supervisor.stop()
