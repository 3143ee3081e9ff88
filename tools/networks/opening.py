"""Which kind of file a network is in."""

from pathlib import Path

from tools.networks.network import Network, NetworkError

ZIP = b"PK\x03\x04"
HDF5 = b"\x89HDF\r\n\x1a\n"


def open_network(path: Path, *, architecture: str | None = None, trust: bool = False) -> Network:
    """Return the network of a Keras file, an HDF5 file or the folder of a SavedModel.

    architecture: whose weights an HDF5 file without an architecture has: "ct3dcnn".
    trust: take operations and classes, too, that could reach files, the network or Python.

    Raises NetworkError with a sentence for whoever gave the file.
    """
    if path.is_dir():
        _refuse_architecture(path, architecture)
        from tools.networks.savedmodel_network import open_savedmodel

        return open_savedmodel(path, trust=trust)
    beginning = _beginning(path)
    if beginning.startswith(ZIP):
        _refuse_architecture(path, architecture)
        from tools.networks.keras_files import open_keras

        return open_keras(path, trust=trust)
    if beginning == HDF5:
        from tools.networks.hdf5_files import open_hdf5

        return open_hdf5(path, architecture=architecture, trust=trust)
    raise NetworkError(
        f"{path.name} is neither a Keras file (.keras) nor an HDF5 file (.h5): one of them is "
        "needed, or the folder of a SavedModel, the one that has saved_model.pb in it"
    )


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(HDF5))
    except OSError as error:
        raise NetworkError(f"{path} cannot be read: {error.strerror}") from error


def _refuse_architecture(path: Path, architecture: str | None) -> None:
    if architecture is not None:
        raise NetworkError(
            f"{path.name} has its architecture in it: an architecture is stated for HDF5 files of "
            "weights alone"
        )
