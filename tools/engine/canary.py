"""Canaries: small studies sent through every public model, since Triton's own readiness lies."""

import threading
import time

from imaging.errors import REFUSALS
from tools.client import ServiceError, send
from tools.engine.control import Control, ControlError
from tools.phantom import phantom_zip

EVERY_SECONDS = 10.0
AGAIN_SECONDS = 1.0


class Canary:
    """Sends a study through each public model, again and again, until it is stopped.

    Times are of time.monotonic. `failures` counts rounds in a row with an error.
    """

    def __init__(self, http_url: str, control: Control) -> None:
        self._url = http_url
        self._control = control
        self._study = phantom_zip()
        self._stopped = threading.Event()
        self.seconds: dict[str, float] = {}
        self.answered_at = time.monotonic()
        self.failures = 0
        self.last_error = ""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Send no further canary; one under way is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._round()
            except (ServiceError, ControlError) as error:
                self._note(error)
                self._stopped.wait(AGAIN_SECONDS)
            else:
                self.failures = 0
                self.answered_at = time.monotonic()
                self._stopped.wait(EVERY_SECONDS)

    def _ask(self, model: str) -> None:
        """Send the study; a model for other images refuses it, and has answered as well."""
        try:
            send(self._url, model, self._study, {"preview": "false"})
        except ServiceError as error:
            if error.code not in REFUSALS or error.code == "busy":
                raise

    def _note(self, error: ServiceError | ControlError) -> None:
        """Count a failure; a full queue is none: the canary is late then, and late is not dead."""
        if isinstance(error, ServiceError) and error.code == "busy":
            return
        self.failures += 1
        self.last_error = str(error)

    def _round(self) -> None:
        for model in self._control.public_models():
            start = time.monotonic()
            self._ask(model)
            self.seconds[model] = round(time.monotonic() - start, 3)
