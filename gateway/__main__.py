"""`python -m gateway`: the gateway, by what GATEWAY_… variables state, until it is told to stop."""

import os
import sys

import uvicorn

from gateway.app import application
from gateway.jobs.setup import check
from gateway.reading import SettingsError
from gateway.settings import Settings
from gateway.telemetry.logs import configure_logs

SHUTDOWN_SECONDS = 30
"""For what is under way when it is told to stop."""


def main() -> int:
    """Serve; return 2 if a setting is missing or cannot be."""
    try:
        settings = Settings.from_environment(os.environ)
        check(settings.jobs)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201  (nothing else runs yet)
        return 2
    configure_logs(settings.log_level)
    uvicorn.run(
        application(settings),
        host=settings.address,
        port=settings.port,
        http="httptools",
        loop="uvloop",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
