"""Whether this Python on this machine can run the wheel's Triton. Runs on any Python 3."""

import ctypes
import os
import platform
import sys
import sysconfig

CONTAINER = "Elsewhere the container runs: docs/deploy.md."
LIBPYTHON = "libpython%d.%d.so.1.0" % sys.version_info[:2]


def libpython_folder() -> str:
    """Return the folder of the shared libpython, empty if the loader finds it by itself.

    Raises OSError if there is none: Triton's Python backend cannot start then.
    """
    library = sysconfig.get_config_var("LIBDIR") or ""
    for folder in (library, os.path.join(sys.base_prefix, "lib")):
        if os.path.exists(os.path.join(folder, LIBPYTHON)):
            return folder
    ctypes.CDLL(LIBPYTHON)
    return ""


def problem() -> str:
    """Return one sentence that says what is missing, empty if nothing is."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "Linux on x86-64 is needed, this is %s on %s." % (
            platform.system(),
            platform.machine(),
        )
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        return "Python 3.11 or 3.12 is needed, this is %d.%d." % sys.version_info[:2]
    libc, release = platform.libc_ver()
    if libc != "glibc" or tuple(map(int, release.split("."))) < (2, 35):
        return "glibc 2.35 or newer is needed, this is %s %s." % (libc, release)
    try:
        libpython_folder()
    except OSError:
        return "A Python with the shared library %s is needed (on Debian: apt install %s)." % (
            LIBPYTHON,
            LIBPYTHON.partition(".so")[0],
        )
    return ""


if __name__ == "__main__":
    sentence = problem()
    if sentence:
        sys.exit("%s %s" % (sentence, CONTAINER))
