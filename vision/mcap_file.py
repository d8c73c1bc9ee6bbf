"""MCAP files: written so that a crash costs no more than was not flushed, read as far as they are whole."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, McapRecord, Message, Metadata, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC, CompressionType, IndexType, Writer
from zstandard import ZstdError

from models.problems import InputError
from vision.encrypted import BLOCK_BYTES, EncryptedFile

PROFILE = "cryoguide"

CHUNK_BYTES = 4 << 20
"""A chunk is closed by the clock (`McapFile.flush`), or when it has grown to this."""

_PADDING = 0x80
"""Kinds of records from here on are private: readers pass over those that they do not know."""

_HEAD = struct.Struct("<BQ")
"""Each record begins with its kind and the length of what follows."""


class _Spool:
    """What the library writes, kept until the file has taken it."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self._told = 0

    def write(self, data: bytes) -> int:
        self.waiting += data
        self._told += len(data)
        return len(data)

    def tell(self) -> int:
        return self._told

    def flush(self) -> None:
        """Nothing: `McapFile.flush` hands it on."""


class McapFile:
    """A new MCAP file.

    What the file did not take (a full disk) is kept and offered again at the next `flush`, and what it took
    of it is taken back: the file never holds half a record that is followed by others.
    """

    def __init__(
        self, path: Path, *, profile: str = PROFILE, library: str, encrypt_to: str | None = None
    ) -> None:
        """Create the file, which must not exist.

        Args:
            path: The file.
            profile: What the file says it is.
            library: What it says it was written by.
            encrypt_to: age public key to which it is encrypted.

        Raises:
            InputError: If it exists or cannot be created.
        """
        self.path = path
        try:
            self._file = (
                path.open("xb", buffering=0) if encrypt_to is None else EncryptedFile(path, encrypt_to)
            )
        except FileExistsError as trouble:
            raise InputError(f"{path} exists already; choose another name or remove it.") from trouble
        except OSError as trouble:
            words = f"{path} cannot be written ({trouble.strerror}); choose another place."
            raise InputError(words) from trouble
        self._spool = _Spool()
        self._writer = Writer(
            self._spool,  # pyright: ignore[reportArgumentType] # only write, tell and flush are used
            chunk_size=CHUNK_BYTES,
            compression=CompressionType.ZSTD,
            index_types=IndexType.ALL,
        )
        self._writer.start(profile, library)
        self._channels: dict[str, int] = {}
        self.bytes_written = 0

    @property
    def bytes_waiting(self) -> int:
        """What the file has not taken yet."""
        return len(self._spool.waiting)

    def channel(self, topic: str, *, schema: str, encoding: str, data: bytes, messages: str) -> None:
        """Announce a topic.

        Args:
            topic: Name, such as ``/thermal``.
            schema: Name of the schema.
            encoding: Of the schema's text, ``protobuf`` or ``jsonschema``.
            data: The schema's text.
            messages: Encoding of the messages, ``protobuf`` or ``json``.
        """
        number = self._writer.register_schema(schema, encoding, data)
        self._channels[topic] = self._writer.register_channel(topic, messages, number)

    def add(self, topic: str, data: bytes, *, t_ns: int) -> None:
        """Add a message to a topic that was announced."""
        self._writer.add_message(self._channels[topic], t_ns, data, t_ns)

    def attach(self, name: str, data: bytes, *, media_type: str, t_ns: int) -> None:
        """Put a small file inside."""
        self._writer.add_attachment(t_ns, t_ns, name, media_type, data)

    def note(self, name: str, table: dict[str, str]) -> None:
        """Put a table of words inside."""
        self._writer.add_metadata(name, table)

    def flush(self, *, to_disk: bool = False) -> None:
        """Hand all that was added to the operating system; it then outlives the death of this program.

        Args:
            to_disk: Also wait until the disk has it; it then outlives a power cut.

        Raises:
            OSError: If the file took less than all of it. The rest is kept.
        """
        self._writer.flush()
        if isinstance(self._file, EncryptedFile) and self._spool.waiting:
            self._see_off()
        self._drain()
        self._file.flush()
        if to_disk:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write the index and close.

        Raises:
            OSError: If the file did not take all of it. It is closed, unfinished, and can be recovered.
        """
        try:
            self._writer.finish()
            self._drain()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Close the file as it is, unfinished."""
        if isinstance(self._file, EncryptedFile):
            self._file.abandon()
        else:
            self._file.close()

    def _see_off(self) -> None:
        """Add a record that readers pass over, so long that the last block of what waits is full."""
        missing = BLOCK_BYTES - self._spool.tell() % BLOCK_BYTES + 1
        length = missing - _HEAD.size + (BLOCK_BYTES if missing < _HEAD.size else 0)
        self._spool.write(_HEAD.pack(_PADDING, length) + bytes(length))

    def _drain(self) -> None:
        waiting = self._spool.waiting
        taken = 0
        try:
            while taken < len(waiting):
                taken += self._file.write(memoryview(waiting)[taken:]) or 0
        except OSError:
            self._file.truncate(self.bytes_written)
            self._file.seek(self.bytes_written)
            raise
        self.bytes_written += taken
        self._spool.waiting = bytearray()


def is_whole(path: Path) -> bool:
    """Whether a file has a proper end, by its last bytes alone."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(MCAP0_MAGIC)))
        return size > 2 * len(MCAP0_MAGIC) and file.read() == MCAP0_MAGIC


class Whole:
    """Whether a file was read to a proper end; filled in by `read_records`."""

    finished: bool = False
    bytes_left_out: int = 0
    """Behind the last whole record."""
    bytes_behind: int = 0
    """Behind a proper end: of no recording that was written here."""
    damaged: bool = False
    """Something in the middle cannot be read, which no writer that died leaves: there is more behind it."""


def read_records(path: Path, whole: Whole | None = None) -> Iterator[McapRecord]:
    """Schemas, channels, messages, attachments and tables of an MCAP file, in the order of the file.

    A file whose writer died is read up to its last whole record; its chunks are checked by their CRC.

    Args:
        path: The file.
        whole: Where to tell whether it has a proper end.

    Raises:
        InputError: If it is no MCAP file or cannot be read.
    """
    told = Whole() if whole is None else whole
    told.finished, told.bytes_left_out, told.bytes_behind, told.damaged = False, 0, 0, False
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                raise InputError(f"{path} is no MCAP file; give a recording (.mcap) of cryoguide.")
            while True:
                start = file.tell()
                head = file.read(_HEAD.size)
                told.bytes_left_out = size - start
                if len(head) < _HEAD.size:
                    told.damaged = is_whole(path)
                    return
                kind, length = _HEAD.unpack(head)
                if kind == Opcode.FOOTER:
                    told.finished, told.bytes_left_out = True, 0
                    told.bytes_behind = max(0, size - file.tell() - length - len(MCAP0_MAGIC))
                    return
                if kind == 0 or length > size - file.tell():
                    # Zeros or half a record are what a power cut leaves, but not before a proper end.
                    told.damaged = is_whole(path)
                    return
                records = _records(kind, file.read(length))
                if records is None:
                    told.damaged = file.tell() < size
                    return
                yield from records
    except OSError as trouble:
        words = f"{path} cannot be read ({trouble.strerror}); check path and permissions."
        raise InputError(words) from trouble


_READ: dict[int, Any] = {
    Opcode.SCHEMA: Schema,
    Opcode.CHANNEL: Channel,
    Opcode.ATTACHMENT: Attachment,
    Opcode.METADATA: Metadata,
}


def _records(kind: int, data: bytes) -> list[McapRecord] | None:
    """What one record holds; None where it is damaged."""
    stream = ReadDataStream(BytesIO(data))
    try:
        if kind == Opcode.CHUNK:
            return breakup_chunk(Chunk.read(stream), validate_crc=True)
        if kind == Opcode.MESSAGE:
            return [Message.read(stream, len(data))]
        if kind in _READ:
            return [_READ[kind].read(stream)]
    except (McapError, ZstdError, ValueError, struct.error, KeyError):
        return None
    return []
