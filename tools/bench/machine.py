"""What the numbers were measured on: nothing that names the machine, its user or its folders."""

import os
import platform
import subprocess
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from imaging.cores import usable_cores
from tools.bench.peers.conversions import dcm2niix_program

PACKAGES = (
    "dicom2nifti",
    "imagecodecs",
    "isal",
    "numpy",
    "onnxruntime",
    "openvino",
    "tensorflow",
    "triton-deep-features",
)


def machine() -> dict[str, Any]:
    """Return the processor, the memory, and who is there in which version.

    load: how many programs were running when the bench began; above 0.5 the numbers mean little.
    """
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_gb": round(memory_bytes / 1e9, 1),
        "system": platform.system(),
        "load": round(os.getloadavg()[0], 2),
        "versions": {
            "python": platform.python_version(),
            "dcm2niix": _dcm2niix(),
            **{package: _version(package) for package in PACKAGES},
        },
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _dcm2niix() -> str:
    try:
        program = dcm2niix_program()
    except ModuleNotFoundError:
        return "not installed"
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return printed.stdout.strip().splitlines()[-1]
