"""Keras 3 files, `.keras`: a zip of config.json, metadata.json and model.weights.h5."""

import json
import shutil
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from tools.networks.file_bounds import check_zip, open_checked_hdf5
from tools.networks.keras2_configs import as_keras_3
from tools.networks.keras_classes import check_classes, check_lambdas
from tools.networks.keras_network import KerasNetwork
from tools.networks.network import AS_SAVEDMODEL, NetworkError
from tools.weights_digest import file_sha256

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"

MOST_CONFIG_BYTES = 16 << 20
"""The JSON of a network of a thousand layers has 1 MB."""

REASON_LENGTH = 160
"""Characters of what Keras says; the rest quotes the network."""

LOADING_ERRORS = (ValueError, TypeError, KeyError, AttributeError, OSError, NotImplementedError)
"""What Keras raises over files that it cannot make a network of."""


def open_keras(path: Path, *, trust: bool) -> KerasNetwork:
    """Return the network of a .keras file; raises NetworkError."""
    config, metadata = _checked_contents(path)
    if not isinstance(config, dict):
        raise NetworkError(f"{path.name}: {CONFIG} describes no network")
    # Keras makes all but this, which load_model leaves out when it does not compile.
    check_config({key: value for key, value in config.items() if key != "compile_config"}, trust)
    version = str(metadata.get("keras_version", "3")) if isinstance(metadata, dict) else "3"
    with loading(path, version):
        if is_keras_2(version):
            model = _of_keras_2(path, config)
        else:
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return KerasNetwork(
        model, form=f"Keras {version.partition('.')[0]} (.keras)", source_sha256=file_sha256(path)
    )


def check_config(config: object, trust: bool) -> None:
    """Refuse classes that are not taken; with trust only code in the file."""
    if trust:
        check_lambdas(config)
    else:
        check_classes(config)


def _of_keras_2(path: Path, config: Any) -> keras.Model:
    """Return the network of a file whose configuration Keras 3 may not take as it is."""
    ours = json.dumps(translated(config, path))
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "network.keras")
        with zipfile.ZipFile(path) as theirs, zipfile.ZipFile(copied, "w") as archive:
            archive.writestr(CONFIG, ours)
            for name in (METADATA, WEIGHTS):
                with theirs.open(name) as source, archive.open(name, "w") as target:
                    shutil.copyfileobj(source, target)
        return keras.saving.load_model(copied, compile=False, safe_mode=True)


def is_keras_2(version: str) -> bool:
    """Whether a file was written before Keras 3."""
    return version.partition(".")[0] in ("1", "2")


def translated(config: Any, path: Path) -> dict[str, Any]:
    """Return what Keras 2 wrote of a network in the words of Keras 3."""
    try:
        return as_keras_3(config)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _broken(path) from error


def parsed(text: str | bytes, path: Path) -> Any:
    """Return what JSON says; refuse what is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken(path) from error


@contextmanager
def loading(path: Path, version: str) -> Iterator[None]:
    """Say in a sentence that Keras could not make the network; version is what wrote the file."""
    try:
        yield
    except LOADING_ERRORS as error:
        # Of nested objects the innermost error is the last.
        innermost = str(error).rpartition("Exception encountered: ")[2]
        reason = textwrap.shorten(innermost, REASON_LENGTH)
        raise NetworkError(
            f"Keras {keras.__version__} cannot make the network of {path.name}, which Keras "
            f"{version} wrote ({reason}): {AS_SAVEDMODEL}"
        ) from error


def _broken(path: Path) -> NetworkError:
    return NetworkError(f"the description of the network in {path.name} is broken")


def _checked_contents(path: Path) -> tuple[Any, Any]:
    """Return what config.json and metadata.json say, of a zip that is within bounds."""
    size_bytes = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            check_zip(archive, size_bytes=size_bytes)
            config, metadata = (parsed(_member(archive, name), path) for name in (CONFIG, METADATA))
            with archive.open(WEIGHTS) as weights:
                open_checked_hdf5(weights, size_bytes=size_bytes).close()
    except KeyError as error:
        raise NetworkError(
            f"{path.name} is a zip without {CONFIG}, {METADATA} or {WEIGHTS}: the file that "
            'model.save("….keras") writes is needed'
        ) from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise NetworkError(f"{path.name} is a broken or incomplete zip: {error}") from error
    return config, metadata


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    size_bytes = archive.getinfo(name).file_size
    if size_bytes > MOST_CONFIG_BYTES:
        raise NetworkError(
            f"{name} in the file has {size_bytes / 1e6:.0f} MB; {MOST_CONFIG_BYTES / 1e6:.0f} MB "
            "are allowed"
        )
    return archive.read(name)
