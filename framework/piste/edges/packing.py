"""How values travel between processes: one block of bytes, whose arrays are mapped read-only where they arrive."""

from __future__ import annotations

import io
import mmap
import pickle
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALIGNMENT = 64  # bytes; the same for all, since sums can depend on how an array is aligned


@dataclass(frozen=True, slots=True)
class Ref:
    """Stands for a value that was handed to an executor once, and is found again by every task that is given this."""

    number: int


class _Packer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, buffers: list[pickle.PickleBuffer]) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffers.append)
        self.refs: set[int] = set()

    def persistent_id(self, obj: Any) -> int | None:
        if isinstance(obj, Ref):
            self.refs.add(obj.number)
            return obj.number
        return None

    def reducer_override(self, obj: Any) -> Any:
        """Make strided arrays contiguous: numpy pickles others in line, and those would arrive writeable."""
        numpy = sys.modules.get("numpy")
        if numpy is None or not isinstance(obj, numpy.ndarray) or obj.dtype.hasobject:
            return NotImplemented
        return NotImplemented if obj.flags.forc else obj.copy(order="C").__reduce_ex__(5)


class _Unpacker(pickle.Unpickler):
    def __init__(self, body: memoryview, buffers: list[memoryview], find: Callable[[int], Any]) -> None:
        super().__init__(io.BytesIO(body), buffers=buffers)
        self._find = find

    def persistent_load(self, pid: int) -> Any:
        return self._find(pid)


@dataclass(frozen=True, slots=True)
class Packed:
    """A value as bytes: the pickle and its arrays, each at a multiple of 64 bytes; the Refs within it by number."""

    parts: tuple[memoryview, ...]
    refs: tuple[int, ...]

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes in order: number of parts, their sizes, the parts."""
        sizes = [part.nbytes for part in self.parts]
        head = struct.pack(f"<{len(sizes) + 1}Q", len(sizes), *sizes)
        for chunk in (memoryview(head), *self.parts):
            yield chunk
            yield bytes(-chunk.nbytes % ALIGNMENT)


def pack(value: Any) -> Packed:
    """Pickle a value, its arrays apart and uncopied where they are contiguous."""
    body, buffers = io.BytesIO(), list[pickle.PickleBuffer]()
    packer = _Packer(body, buffers)
    packer.dump(value)
    return Packed((body.getbuffer(), *(buffer.raw() for buffer in buffers)), tuple(sorted(packer.refs)))


def unpack(block: mmap.mmap, find: Callable[[int], Any]) -> Any:
    """Return the value of a packed block. Its numeric arrays are views of the block, and read-only.

    Args:
        block: what `Packed.chunks` yields, from the start of a page.
        find: number of a Ref -> the value that it stands for.
    """
    view = memoryview(block).toreadonly()
    (count,) = struct.unpack_from("<Q", view)
    position, parts = 8 + 8 * count, []
    for size in struct.unpack_from(f"<{count}Q", view, 8):
        position += -position % ALIGNMENT
        parts.append(view[position : position + size])
        position += size
    return _Unpacker(parts[0], parts[1:], find).load()


def in_memory(packed: Packed) -> mmap.mmap:
    """Return the block in memory of its own, aligned as a mapped file is."""
    chunks = list(packed.chunks())
    block = mmap.mmap(-1, sum(memoryview(chunk).nbytes for chunk in chunks))
    for chunk in chunks:
        block.write(chunk)
    return block


def in_file(path: Path) -> mmap.mmap:
    """Map a file that holds a block; processes that map the same file share its memory."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
