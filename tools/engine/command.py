"""The command line of tritonserver, for whichever version is there."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from tools.engine.settings import LOOPBACK, EngineSettings

FORWARDED_HEADERS = "(?i)x-df-.*"
"""Request headers that reach the models as parameters; all others stay outside."""

KEY_HEADER = "deepfeatures-key"
"""HTTP header with the key of the restricted APIs; gRPC has `triton-grpc-protocol-` before it."""

RESTRICTED = "logging,model-config,model-repository,shared-memory,statistics,trace"
"""What a client of inferences never needs; loading a model, for one, runs any program in it."""

LARGEST_BODY_BYTES = 2 << 30

NVIDIA_DEVICE = Path("/dev/nvidiactl")


@dataclass(frozen=True)
class Launch:
    """What belongs to one start of the server.

    models, backends: folders made for it.
    key: opens the restricted APIs; new with each start.
    region_prefix: starts the names of its shared-memory regions, to tell them from others'.
    """

    models: Path
    backends: Path
    key: str
    region_prefix: str


def command(
    binary: Path, settings: EngineSettings, launch: Launch, known_flags: AbstractSet[str]
) -> list[str]:
    """Return the command line: every flag that this version of Triton knows."""
    flags = {
        "--model-repository": str(launch.models),
        "--backend-directory": str(launch.backends),
        "--backend-config": f"python,shm-region-prefix-name={launch.region_prefix}",
        "--model-control-mode": "explicit",
        "--load-model": "*",
        "--http-address": settings.address,
        "--http-port": str(settings.http_port),
        "--grpc-address": settings.address,
        "--grpc-port": str(settings.grpc_port),
        "--metrics-address": settings.address,
        "--metrics-port": str(settings.metrics_port),
        "--http-header-forward-pattern": FORWARDED_HEADERS,
        "--grpc-header-forward-pattern": FORWARDED_HEADERS,
        "--http-restricted-api": f"{RESTRICTED}:{KEY_HEADER}={launch.key}",
        "--grpc-restricted-protocol": f"{RESTRICTED}:{KEY_HEADER}={launch.key}",
        "--allow-sagemaker": "false",
        "--allow-vertex-ai": "false",
        "--http-max-input-size": str(LARGEST_BODY_BYTES),  # since 25.06; 64 MB without it
        # Since 26.04, and off without it; before, always on. Clients of containers have none.
        "--allow-client-shm": str(settings.address == LOOPBACK).lower(),
        "--exit-timeout-secs": "20",
        "--log-info": str(settings.verbose).lower(),
    }
    if not NVIDIA_DEVICE.exists():
        flags |= {"--pinned-memory-pool-byte-size": "0", "--allow-gpu-metrics": "false"}
    stated = [f"{name}={value}" for name, value in flags.items() if name in known_flags]
    return [str(binary), "--disable-auto-complete-config", *stated]
