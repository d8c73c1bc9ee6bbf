"""Change two things in a tflite model without a flatbuffer library: metadata, and a longer output.

All references in a flatbuffer are unsigned distances *forwards* from where they are stored, so
a block put in front of the whole file can refer to anything in it, and nothing in the old file
needs to move relative to itself. A patch is therefore a new root (with the few new tables)
in front, and the old bytes untouched behind. The result depends on nothing but the input bytes.

Field numbers are those of TensorFlow Lite's ``schema.fbs`` (version 3) and of its
``metadata_schema.fbs``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

# Field numbers: Model
_OPERATOR_CODES, _SUBGRAPHS, _BUFFERS, _METADATA = 1, 2, 4, 6
_MODEL_REFERENCES = (1, 2, 3, 4, 5, 6, 7)
# SubGraph
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = 0, 1, 2, 3
_SUBGRAPH_REFERENCES = (0, 1, 2, 3, 4)
_PAD = 34  # BuiltinOperator.PAD
_INT32 = 2  # TensorType.INT32; FLOAT32 is 0, the default, and is not stored
_NORMALIZATION_OPTIONS = 1  # member of the union ProcessUnitOptions
_BLOCK = 64  # the old file keeps every alignment that it had (its strictest is 16)


@dataclass(frozen=True)
class _Old:
    """Something in the old file, at this position."""

    position: int


@dataclass(eq=False)
class _Table:
    """A table: field number to (struct code, value), or to another object."""

    fields: dict[int, tuple[str, int] | _Table | _Array | _Old] = field(default_factory=dict)


@dataclass(eq=False)
class _Array:
    """A vector of numbers, or of references."""

    code: str
    """``B``, ``i``, ``f`` or ``ref``."""
    items: list[int] | list[float] | list[_Table | _Old]
    align: int = 4


class _Reader:
    """Follow references in an existing flatbuffer."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def u32(self, position: int) -> int:
        return int(struct.unpack_from("<I", self.data, position)[0])

    @property
    def root(self) -> int:
        return self.u32(0)

    def field(self, table: int, number: int) -> int | None:
        """Position of a field's value, None where the table does not have it."""
        vtable = table - struct.unpack_from("<i", self.data, table)[0]
        size = struct.unpack_from("<H", self.data, vtable)[0]
        if 4 + 2 * number >= size:
            return None
        offset = struct.unpack_from("<H", self.data, vtable + 4 + 2 * number)[0]
        return table + offset if offset else None

    def follow(self, table: int, number: int) -> int | None:
        position = self.field(table, number)
        return None if position is None else position + self.u32(position)

    def references(self, table: int, number: int) -> list[_Old]:
        """Targets of a vector of references; empty where there is none."""
        vector = self.follow(table, number)
        if vector is None:
            return []
        places = range(vector + 4, vector + 4 + 4 * self.u32(vector), 4)
        return [_Old(place + self.u32(place)) for place in places]

    def ints(self, table: int, number: int) -> list[int]:
        vector = self.follow(table, number)
        if vector is None:
            return []
        return list(struct.unpack_from(f"<{self.u32(vector)}i", self.data, vector + 4))

    def copy(self, table: int, references: tuple[int, ...]) -> _Table:
        """A new table with the old one's references."""
        found = {number: self.follow(table, number) for number in references}
        return _Table({number: _Old(place) for number, place in found.items() if place is not None})


def _serialise(root: _Table, identifier: bytes, old: bytes = b"") -> bytes:
    """Write parents before children, so that every reference points forwards."""
    out = bytearray(struct.pack("<I4s", 0, identifier))
    pending: list[tuple[int, _Table | _Array | _Old]] = [(0, root)]
    to_old: list[tuple[int, int]] = []
    while pending:
        place, thing = pending.pop(0)
        if isinstance(thing, _Old):
            to_old.append((place, thing.position))
            continue
        start = (
            _write_table(out, thing, pending)
            if isinstance(thing, _Table)
            else _write_array(out, thing, pending)
        )
        struct.pack_into("<I", out, place, start - place)
    if old:
        out += bytes(-len(out) % _BLOCK)
    for place, position in to_old:
        struct.pack_into("<I", out, place, len(out) + position - place)
    return bytes(out) + old


def _write_table(out: bytearray, table: _Table, pending: list[tuple[int, _Table | _Array | _Old]]) -> int:
    slots = max(table.fields, default=-1) + 1
    vtable = [4 + 2 * slots, 0, *[0] * slots]
    body = bytearray(4)
    references: list[tuple[int, _Table | _Array | _Old]] = []
    for number, value in sorted(table.fields.items()):
        code = value[0] if isinstance(value, tuple) else "I"
        size = struct.calcsize(code)
        body += bytes(-len(body) % size)
        vtable[2 + number] = len(body)
        if isinstance(value, tuple):
            body += struct.pack("<" + code, value[1])
        else:
            references.append((len(body), value))
            body += bytes(4)
    vtable[1] = len(body)
    out += bytes(-(len(out) + 2 * len(vtable)) % 4)
    out += struct.pack(f"<{len(vtable)}H", *vtable)
    start = len(out)
    out += body
    struct.pack_into("<i", out, start, 2 * len(vtable))
    pending += [(start + offset, value) for offset, value in references]
    return start


def _write_array(out: bytearray, array: _Array, pending: list[tuple[int, _Table | _Array | _Old]]) -> int:
    out += bytes(-(len(out) + 4) % array.align)
    out += bytes(-len(out) % 4)
    start = len(out)
    out += struct.pack("<I", len(array.items))
    if array.code == "ref":
        for item in array.items:
            assert isinstance(item, _Table | _Old)
            pending.append((len(out), item))
            out += bytes(4)
    else:
        out += struct.pack(f"<{len(array.items)}{array.code}", *array.items)
        if array.code == "B":
            out += b"\0"  # a string's end, harmless behind plain bytes
    return start


def _text(text: str) -> _Array:
    return _Array("B", list(text.encode()))


def _model(reader: _Reader) -> _Table:
    model = reader.copy(reader.root, _MODEL_REFERENCES)
    model.fields[0] = ("I", 3)  # schema version
    return model


def _check(data: bytes) -> _Reader:
    if data[4:8] != b"TFL3":
        raise ValueError("not a tflite model: its identifier is not TFL3")
    return _Reader(data)


def first_output_shape(data: bytes) -> tuple[int, ...]:
    """Shape of a tflite model's first output.

    Raises:
        ValueError: If the bytes are no tflite model.
    """
    reader = _check(data)
    try:
        graph = reader.references(reader.root, _SUBGRAPHS)[0].position
        tensor = reader.references(graph, _TENSORS)[reader.ints(graph, _OUTPUTS)[0]].position
        return tuple(reader.ints(tensor, 0))
    except (struct.error, IndexError) as error:
        raise ValueError("a damaged tflite model") from error


def with_normalization(data: bytes, *, mean: float, std: float) -> bytes:
    """Add NormalizationOptions for the first input: the network is given (x - mean) / std.

    MediaPipe Tasks refuses a landmark model with float input that does not say them.

    Args:
        data: A tflite model without ``TFLITE_METADATA``.
        mean: Of 8-bit pixel values.
        std: Of 8-bit pixel values.

    Returns:
        The model with a metadata buffer; graph and weights are the same bytes.

    Raises:
        ValueError: If the bytes are no tflite model, or it has such metadata already.
    """
    reader = _check(data)
    entries = reader.references(reader.root, _METADATA)
    for entry in entries:
        name = reader.follow(entry.position, 0)
        if name is not None and data[name + 4 : name + 4 + reader.u32(name)] == b"TFLITE_METADATA":
            raise ValueError("the tflite model has TFLITE_METADATA already")
    options = _Table({0: _Array("f", [mean]), 1: _Array("f", [std])})
    unit = _Table({0: ("B", _NORMALIZATION_OPTIONS), 1: options})
    tensor = _Table({4: _Array("ref", [unit])})
    subgraph = _Table({2: _Array("ref", [tensor])})
    metadata = _serialise(_Table({3: _Array("ref", [subgraph])}), b"M001")

    buffers = reader.references(reader.root, _BUFFERS)
    model = _model(reader)
    model.fields[_BUFFERS] = _Array("ref", [*buffers, _Table({0: _Array("B", list(metadata), align=16)})])
    entry = _Table({0: _text("TFLITE_METADATA"), 1: ("I", len(buffers))})
    model.fields[_METADATA] = _Array("ref", [*entries, entry])
    return _serialise(model, b"TFL3", data)


def with_longer_output(data: bytes, *, before: int, after: int) -> bytes:
    """Pad the first output, of shape (1, 1, 1, before), with zeros to (1, 1, 1, after).

    Args:
        data: A tflite model that knows the operator PAD already.
        before: Values in the first output now.
        after: Values wanted; the first ``before`` stay as they are.

    Returns:
        The model with one more operator; weights are the same bytes.

    Raises:
        ValueError: If the model's first output is not of length ``before``, or it lacks PAD.
    """
    reader = _check(data)
    subgraphs = reader.references(reader.root, _SUBGRAPHS)
    graph = subgraphs[0].position
    tensors = reader.references(graph, _TENSORS)
    outputs = reader.ints(graph, _OUTPUTS)
    shape = reader.ints(tensors[outputs[0]].position, 0)
    if shape != [1, 1, 1, before]:
        raise ValueError(f"the first output has shape {shape}, not [1, 1, 1, {before}]")
    codes = [_builtin(reader, code.position) for code in reader.references(reader.root, _OPERATOR_CODES)]
    if _PAD not in codes:
        raise ValueError("the tflite model does not use the operator PAD")

    buffers = reader.references(reader.root, _BUFFERS)
    paddings = struct.pack("<8i", 0, 0, 0, 0, 0, 0, 0, after - before)
    paddings_tensor = _Table(
        {0: _Array("i", [4, 2]), 1: ("b", _INT32), 2: ("I", len(buffers)), 3: _text("longer_output/paddings")}
    )
    longer_tensor = _Table({0: _Array("i", [1, 1, 1, after]), 3: _text("longer_output")})
    n = len(tensors)
    pad = _Table({0: ("I", codes.index(_PAD)), 1: _Array("i", [outputs[0], n]), 2: _Array("i", [n + 1])})
    new_graph = reader.copy(graph, _SUBGRAPH_REFERENCES)
    new_graph.fields[_TENSORS] = _Array("ref", [*tensors, paddings_tensor, longer_tensor])
    new_graph.fields[_OPERATORS] = _Array("ref", [*reader.references(graph, _OPERATORS), pad])
    new_graph.fields[_OUTPUTS] = _Array("i", [n + 1, *outputs[1:]])

    model = _model(reader)
    model.fields[_SUBGRAPHS] = _Array("ref", [new_graph, *subgraphs[1:]])
    model.fields[_BUFFERS] = _Array("ref", [*buffers, _Table({0: _Array("B", list(paddings), align=16)})])
    return _serialise(model, b"TFL3", data)


def _builtin(reader: _Reader, code: int) -> int:
    """Operator of an operator code: the newer int32 field, or the older byte where that is less than 127."""
    new, deprecated = reader.field(code, 3), reader.field(code, 0)
    value = 0 if new is None else int(struct.unpack_from("<i", reader.data, new)[0])
    old = 0 if deprecated is None else int(struct.unpack_from("<b", reader.data, deprecated)[0])
    return max(value, old)
