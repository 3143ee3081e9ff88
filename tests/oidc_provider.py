"""The real OpenID provider of the tests: npm's oidc-provider, installed once and started once."""

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tools.engine.ports import free_ports

FILES = Path(__file__).parent / "oidc"

PATH = "/auth/realms/QuantImage-v2"


@dataclass(frozen=True)
class ProviderOfTests:
    """Where it listens, where the gateway that it knows does, and what it can be told to do."""

    port: int
    gateway_port: int

    @property
    def issuer(self) -> str:
        """Another site than the gateway's: cookies are put to the test."""
        return f"http://localhost:{self.port}{PATH}"

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @staticmethod
    def secret(client_id: str) -> str:
        """Return a client's secret, with characters that have to be encoded."""
        return f"secret of {client_id}: 100 % + &"

    def tell(self, what: str, *, body: str = "", **query: object) -> str:
        """Let it do something: provider.mjs lists what."""
        url = f"http://127.0.0.1:{self.port}/control/{what}"
        parameters = {key: str(value) for key, value in query.items()}
        return httpx.post(url, params=parameters, content=body).text

    def signed(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Return a token with its signature that says what is wanted."""
        return self.tell("sign", body=json.dumps(claims), typ=typ)

    def asked(self) -> dict[str, int]:
        """Return how often it was asked for keys and for tokens."""
        return json.loads(self.tell("asked"))


@pytest.fixture(scope="session")
def provider_files(request: pytest.FixtureRequest) -> Path:
    """The folder with the provider and what it needs, installed once for each lock file."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no Node.js for the OpenID provider")
    digest = hashlib.sha256((FILES / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = Path(request.config.cache.mkdir(f"oidc-{digest}"))
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if not (folder / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(FILES / name, folder)
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            (folder / "installed").touch()
    return folder


@pytest.fixture(scope="session")
def _running_provider(provider_files: Path) -> Iterator[ProviderOfTests]:
    provider = ProviderOfTests(*free_ports(2))
    back = (f"{provider.gateway_url}/login/callback", f"{provider.gateway_url}/login/out")
    command = ["node", str(FILES / "provider.mjs"), str(provider.port), *back]
    process = subprocess.Popen(
        command, cwd=provider_files, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    with process, process.stdout as lines:
        assert any("listening" in line for line in lines)
        yield provider
        process.terminate()


@pytest.fixture
def provider(_running_provider: ProviderOfTests) -> Iterator[ProviderOfTests]:
    """The provider, up, with the right time and access tokens of an hour."""
    yield _running_provider
    _running_provider.tell("up")
    _running_provider.tell("clock", s=0)
    _running_provider.tell("life", s=3600)
