"""Bytes that are read like a file, wherever they come from."""

import io


class SeekableBytes(io.RawIOBase):
    """The seeking half of a read-only file of a known size."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self._size = size_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise OSError("seek to before the start")  # as files do; zipfile counts on it
        self._at = origin + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        start, end = self._at, self._size
        if size is not None and size >= 0:
            end = min(start + size, end)
        data = self._between(start, end)
        self._at += len(data)
        return data

    def _between(self, start: int, end: int) -> bytes:
        raise NotImplementedError
