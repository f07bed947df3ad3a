"""What keeps work on large files small and quick: rows that wait on disk, and a garbage collector that does not go through them."""

from __future__ import annotations

import gc
import pickle
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, overload

Record = TypeVar("Record")

#: Records that are read back from the disk together.
_TOGETHER = 100
#: New objects between two collections: Python's own 700 had it look through all it holds a quarter of the time.
_SELDOM = (50_000, 20, 100)


class Waiting(Sequence[Record]):
    """The records of a file, kept in a nameless file of this process until it is their turn: memory holds a hundred of them."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the object
        weakref.finalize(self, self._file.close)
        self._places: list[int] = []
        self._length = 0
        part: list[Record] = []
        for record in records:
            part.append(record)
            if len(part) == _TOGETHER:
                self._write(part)
                part = []
        if part:
            self._write(part)
        self._near: tuple[int, list[Record]] = (-1, [])

    def _write(self, part: list[Record]) -> None:
        self._places.append(self._file.tell())
        pickle.dump(part, self._file, pickle.HIGHEST_PROTOCOL)
        self._length += len(part)

    def _part(self, number: int) -> list[Record]:
        if self._near[0] != number:
            self._file.seek(self._places[number])
            self._near = number, pickle.load(self._file)  # noqa: S301 - what this process wrote, in a file without a name
        return self._near[1]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Record]:
        for number in range(len(self._places)):
            yield from self._part(number)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(self._length))]
        number = range(self._length)[place]
        return self._part(number // _TOGETHER)[number % _TOGETHER]


_lock = threading.Lock()
_working = 0
_usual = gc.get_threshold()
_is_frozen_here = False


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Have Python look for garbage seldom while many records are made, and not among what is there already. For work by parts.

    A web worker has set aside what it loaded (wsgi.py): that stays set aside afterwards."""
    global _working, _usual, _is_frozen_here  # noqa: PLW0603 - the collector is the process's too
    with _lock:
        if not _working:
            _usual = gc.get_threshold()
            _is_frozen_here = not gc.get_freeze_count()
            if _is_frozen_here:
                gc.freeze()
            gc.set_threshold(*_SELDOM)
        _working += 1
    try:
        yield
    finally:
        with _lock:
            _working -= 1
            if not _working:
                gc.set_threshold(*_usual)
                if _is_frozen_here:
                    gc.unfreeze()
