"""HAProxy as docs/remote-grpc.md has it, before engines: with certificates by its commands."""

import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from gateway_server import wait_until

from tools.engine.ports import free_ports
from tools.locations import CHECKOUT

PAGE = CHECKOUT / "docs" / "remote-grpc.md"
CONFIGURATION = CHECKOUT / "deploy" / "haproxy" / "haproxy.cfg"


def block(start, language):
    """The first block of the page, in a language, that has a line which starts so."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    return next(each for each in blocks if re.search(rf"^{start}", each, re.M))


def documented_client():
    """The client of the page: `client_of`, `extract`."""
    names = {}
    exec(block("def extract", "python"), names)  # noqa: S102  (what the page tells users to run)
    return SimpleNamespace(**names)


def needed(*programs):
    """Skip a test where a program is missing."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")


def run(commands, folder, **names):
    """Run the commands of a block, with other names than the page's."""
    for name, value in names.items():
        commands = re.sub(rf"^{name}=.*$", f"{name}={value}", commands, flags=re.M)
    subprocess.run(["/bin/sh", "-e", "-c", commands], cwd=folder, check=True, capture_output=True)


@dataclass
class Proxy:
    """A running HAProxy, and the folder with all that is for it and for its clients."""

    folder: Path
    port: int
    metrics_port: int

    def files(self, name, folder=None):
        """What `client_of` of the page takes for a client."""
        own = folder or self.folder
        return {
            "ca": self.folder / "ca.pem",
            "certificate": own / f"{name}.pem",
            "key": own / f"{name}.key",
        }

    def metrics(self):
        return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text

    def engines_up(self):
        (number,) = re.findall(
            r'^haproxy_backend_active_servers\{proxy="engines"\} (\d+)', self.metrics(), re.M
        )
        return int(number)


def make_certificates(folder, *clients):
    """Make a CA, the proxy's certificate, and those of clients, all of them in the list."""
    commands = block("openssl req", "sh")
    first, last = commands.split("client=", 1)
    run(first, folder)
    shell = first[first.index("new=") :].splitlines()[0]
    for client in clients:
        run(f"{shell}\nclient={last}", folder, client=client)


@contextmanager
def proxy_before(engines, folder):
    """Run the proxy before engines, pairs of ports: of gRPC, and of the page of the launcher."""
    servers = [
        f"    server engine{number} 127.0.0.1:{grpc} check port {page}\n"
        for number, (grpc, page) in enumerate(engines)
    ]
    (folder / "engines.cfg").write_text("backend engines from engines\n" + "".join(servers))
    proxy = Proxy(folder, *free_ports(2))
    environment = {
        "GRPC_ADDRESS": f"127.0.0.1:{proxy.port}",
        "GRPC_CERTIFICATE": "server.crt",
        "GRPC_CLIENT_CA": "ca.pem",
        "GRPC_CLIENT_CRL": "crl.pem",
        "GRPC_CLIENTS": "clients.txt",
        "GRPC_METRICS_ADDRESS": f"127.0.0.1:{proxy.metrics_port}",
    }
    command = ["haproxy", "-db", "-f", str(CONFIGURATION), "-f", "engines.cfg"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment | {"PATH": "/usr/sbin:/usr/bin"},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(proxy) and proxy.engines_up() == len(engines))
        yield proxy
    finally:
        process.terminate()
        process.wait()


def answers(proxy):
    try:
        return proxy.metrics()
    except httpx.TransportError:
        return ""
