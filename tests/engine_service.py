"""The engine as an operator has it: `deepfeatures serve`, to be attacked."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tools.engine import processes
from tools.engine.ports import free_ports
from tools.engine.regions import SHARED_MEMORY

DEEPFEATURES = Path(sys.executable).with_name("deepfeatures")


class Service:
    """A running `deepfeatures serve`: its ports, its log, its state."""

    def __init__(self, folder, *arguments):
        self.http, self.grpc, self.metrics, self.state_port = free_ports(4)
        self.url = f"127.0.0.1:{self.http}"
        self.log = folder / "log"
        ports = {
            "http": self.http,
            "grpc": self.grpc,
            "metrics": self.metrics,
            "state": self.state_port,
        }
        flags = [f"--{name}-port={port}" for name, port in ports.items()]
        with self.log.open("w") as log:
            command = [DEEPFEATURES, "serve", "--no-gateway", *flags, *arguments]
            self.process = subprocess.Popen(command, stderr=log, start_new_session=True)

    def page(self, path):
        """Status and content of the state page; status 0 while it is not there."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.state_port}{path}") as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def processes_of_models(self):
        return processes.stubs(self.page("/state")[1]["triton_pid"])

    def stubs(self):
        return {stub.model: stub.pid for stub in self.processes_of_models()}

    def pids(self):
        server = self.page("/state")[1]["triton_pid"]
        return [self.process.pid, server, *processes.children(server)]

    def regions(self):
        return list(SHARED_MEMORY.glob(f"deepfeatures-{self.process.pid}-*"))
