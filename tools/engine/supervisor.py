"""Watches a running Triton and brings back what died: a stub, or the whole server.

A dead stub is loaded again in place, which other models do not notice. What it leaves inside Triton
(its region stays mapped, some megabytes more) is given back by a restart from time to time.
"""

import logging
import threading
import time

from tools.engine import processes, regions
from tools.engine.canary import Canary
from tools.engine.control import Control, ControlError
from tools.engine.installation import Installation
from tools.engine.process import TritonProcess
from tools.engine.progress import Progress
from tools.engine.recycling import Recycling
from tools.engine.settings import EngineError, EngineSettings
from tools.engine.state import EngineState
from tools.engine.study_regions import StudyRegions
from tools.engine.unused import Unused

TICK_SECONDS = 0.5

RELOADS_PER_START = 4
LEFT_BEHIND_BYTES = 64 << 20
"""Beyond either, a dead stub is answered by a restart, so that what is left behind is bounded."""

LATE_SECONDS = 30.0
"""Without an answered canary, three of which are due then; it counts only while nothing moves."""

CANARY_FAILURES = 3

LONGEST_BACK_OFF_SECONDS = 30.0
CALM_SECONDS = 120.0
"""After so long without a restart the back-off starts from nothing again."""

log = logging.getLogger("deepfeatures.engine")


class Supervisor:
    """Runs Triton and keeps it answering until it is told to stop."""

    def __init__(
        self, settings: EngineSettings, installation: Installation, state: EngineState
    ) -> None:
        self._settings = settings
        self._installation = installation
        self._state = state
        self._restarted_at: list[float] = []

    def start(self) -> None:
        """Start Triton and return when it answers studies; raises EngineError if it does not."""
        self._process = TritonProcess(self._settings, self._installation)
        self._state.triton_pid = self._process.pid
        self._state.access_file = str(self._process.access_file)
        try:
            self._process.wait_for_canary()
        except BaseException:
            self._process.kill()
            raise
        self._control = Control(self._settings.http_url, self._process.launch.key)
        self._canary = Canary(self._settings.http_url, self._control)
        self._progress = Progress()
        self._stubs = set(self._process.stubs())
        self._stopped_before: set[int] = set()
        self._recycling = Recycling()
        self._study_regions = StudyRegions(self._control)
        self._unused = Unused(self._process.launch.models, self._control)
        self._reloads = self._renewals = 0
        self._state.status = "ready"

    def stop(self) -> None:
        """Stop Triton in order."""
        self._state.status = "stopping"
        self._canary.stop()
        self._process.stop()

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set."""
        while not stop.wait(TICK_SECONDS):
            regions.make_private(self._process.launch.region_prefix)
            self._state.canaries = self._canary.seconds
            self._state.canary_at = self._canary.answered_at
            self._state.canary_failures = self._canary.failures
            if reason := self._server_problem():
                self._restart(reason, stop)
                continue
            for stub in self._dead_stubs():
                if stub in self._stubs:  # not replaced together with one before it
                    self._bring_back(stub, stop)
            self._tidy_up(time.monotonic())

    def _tidy_up(self, now: float) -> None:
        """Give back memory that nobody needs any more."""
        self._study_regions.let_go(now)
        for model in self._unused.let_go(self._stubs, now):
            self._note(f"{model} is served no more: unloaded")
        self._recycling.end_stuck(now)
        if stub := self._recycling.due(self._stubs, now):
            self._recycle(stub)

    def _server_problem(self) -> str:
        """Return why the whole server must be started again, empty if it need not."""
        if self._process.exit_code is not None:
            return f"Triton ended with exit code {self._process.exit_code}"
        if self._is_stopped(self._process.pid):
            return "Triton was stopped by a signal"
        if self._canary.failures >= CANARY_FAILURES:
            return f"{self._canary.failures} canaries in a row failed: {self._canary.last_error}"
        if self._hangs():
            return f"no canary was answered for {LATE_SECONDS:.0f} s, and nothing else moves"
        return ""

    def _hangs(self) -> bool:
        """Say whether a canary is late while nothing moves: a busy server is not a hanging one."""
        now = time.monotonic()
        pids = [self._process.pid, *(stub.pid for stub in self._stubs)]
        self._progress.see(processes.cpu_ticks(pids), now)
        return now - max(self._canary.answered_at, self._progress.at) > LATE_SECONDS

    def _dead_stubs(self) -> list[processes.Stub]:
        """Return the stubs that died or are stopped, of all models ever loaded."""
        living = {s for s in self._process.stubs() if not self._recycling.is_replaced(s)}
        self._stubs |= living
        gone = [
            stub
            for stub in self._stubs
            if not processes.is_stub(stub) or self._is_stopped(stub.pid)
        ]
        self._stubs -= (loaded_anew := {stub for stub in gone if self._is_replaced(stub, living)})
        return [stub for stub in gone if stub not in loaded_anew]

    def _is_replaced(self, gone: processes.Stub, living: set[processes.Stub]) -> bool:
        """Say whether a process ended since somebody had its model loaded anew: all are there."""
        there = {stub for stub in living if stub.model == gone.model} - {gone}
        return len(there) >= self._process.models.processes(gone.model)

    def _is_stopped(self, pid: int) -> bool:
        """Say whether a process is stopped twice in a row: a debugger does so briefly."""
        if processes.state(pid) not in processes.STOPPED:
            self._stopped_before.discard(pid)
            return False
        before = pid in self._stopped_before
        self._stopped_before.add(pid)
        return before

    def _bring_back(self, stub: processes.Stub, stop: threading.Event) -> None:
        """Load the model of a dead stub again, or restart Triton where that is better."""
        processes.kill_stub(stub)
        self._stubs.discard(stub)
        start = time.monotonic()
        try:
            # Triton takes a model whose stub died for loaded; one that was unloaded has ended well.
            if stub.model not in self._control.loaded_models():
                return
            if self._leaves_too_much(stub):
                self._restart(f"the stub of {stub.model} died", stop)
                return
            self._state.status = "recovering"
            self._replace(stub.model)
        except ControlError as error:
            self._restart(f"{stub.model} could not be loaded again: {error}", stop)
            return
        regions.remove(stub.region)
        self._reloads += 1
        self._state.reloads += 1
        self._canary.failures = 0
        seconds = time.monotonic() - start
        self._note(f"the stub of {stub.model} died: loaded again in {seconds:.1f} s")
        self._state.status = "ready"

    def _replace(self, model: str) -> None:
        """Load a model anew: its processes finish what they work on, and end."""
        old = {stub for stub in self._stubs if stub.model == model}
        self._renewals += 1
        self._process.models.renew(model, self._renewals)
        self._control.load(model)
        if all(stub in old for stub in self._process.stubs() if stub.model == model):
            raise ControlError(f"Triton kept the processes of {model}")
        self._stubs -= old
        self._recycling.replaced(old, time.monotonic())

    def _recycle(self, stub: processes.Stub) -> None:
        """Replace the processes of a model, which go on answering until the new ones do."""
        mib = (regions.size_bytes(stub.region) + processes.own_bytes(stub.pid)) >> 20
        start = time.monotonic()
        try:
            self._replace(stub.model)
        except ControlError as error:
            self._note(f"{stub.model} keeps {mib} MiB and could not be loaded anew: {error}")
            self._recycling.put_off(stub, time.monotonic())
            return
        self._state.recycled += 1
        seconds = time.monotonic() - start
        self._note(f"{stub.model} kept {mib} MiB: loaded anew in {seconds:.1f} s")

    def _leaves_too_much(self, stub: processes.Stub) -> bool:
        held = {stub.region, *(each.region for each in self._stubs if each.model == stub.model)}
        size_bytes = sum(map(regions.size_bytes, held))
        return self._reloads == RELOADS_PER_START or size_bytes > LEFT_BEHIND_BYTES

    def _restart(self, reason: str, stop: threading.Event) -> None:
        """End Triton and start it again, at once at first, then after longer and longer waits."""
        self._state.status = "restarting"
        self._canary.stop()
        self._process.kill()
        self._note(f"{reason}: starting Triton again")
        start = time.monotonic()
        while not stop.wait(self._back_off_seconds()):
            try:
                self.start()
            except EngineError as error:
                self._note(f"Triton did not start: {error}")
            else:
                self._state.restarts += 1
                self._note(f"Triton answers again after {time.monotonic() - start:.1f} s")
                return

    def _back_off_seconds(self) -> float:
        now = time.monotonic()
        self._restarted_at = [at for at in self._restarted_at if now - at < CALM_SECONDS]
        recent = len(self._restarted_at)
        self._restarted_at.append(now)
        return min(LONGEST_BACK_OFF_SECONDS, 0.5 * 2 ** (recent - 2)) if recent > 1 else 0.0

    def _note(self, sentence: str) -> None:
        log.warning(sentence)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._state.events.append(f"{stamp} {sentence}")
