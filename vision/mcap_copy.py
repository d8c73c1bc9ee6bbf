"""A whole MCAP file out of one that was not finished."""

from __future__ import annotations

from pathlib import Path

from mcap.records import Attachment, Channel, Message, Metadata, Schema

from vision.mcap_file import McapFile, Whole, read_records


def copy_whole(path: Path, target: Path, *, library: str) -> Whole:
    """Write all that can be read of a file into a new one, and finish that.

    Args:
        path: The file, which stays as it is.
        target: The file to write, which must not exist.
        library: What the new file says it was written by.

    Returns:
        Whether the old one was whole, and how much of it was left out.

    Raises:
        InputError: If the file cannot be read or the new one not be created.
        OSError: If the disk is full.
    """
    copy, whole = McapFile(target, library=library), Whole()
    try:
        schemas: dict[int, Schema] = {}
        topics: dict[int, str] = {}
        for record in read_records(path, whole):
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Channel) and record.id not in topics:
                schema = schemas[record.schema_id]
                copy.channel(
                    record.topic,
                    schema=schema.name,
                    encoding=schema.encoding,
                    data=schema.data,
                    messages=record.message_encoding,
                )
                topics[record.id] = record.topic
            elif isinstance(record, Message):
                copy.add(topics[record.channel_id], record.data, t_ns=record.log_time)
            elif isinstance(record, Attachment):
                copy.attach(record.name, record.data, media_type=record.media_type, t_ns=record.log_time)
            elif isinstance(record, Metadata):
                copy.note(record.name, record.metadata)
        copy.close()
    except BaseException:
        copy.abandon()
        raise
    return whole
