"""Which column of a table is which field: by heading, by HXL tag, by an older spelling of either. Knows no format's meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm.exchange.tabular import Table, heading_key

#: Attributes that older and newer files write or leave out without meaning anything else.
_LOOSE = frozenset({"list", "impl"})


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a format: the heading its publisher writes, its HXL tag, other headings people use, and whether it must be there."""

    heading: str
    tag: str = ""
    others: tuple[str, ...] = ()
    required: bool = False


def tag_key(tag: str, *, loose: bool = False) -> tuple[str, frozenset[str]]:
    """An HXL tag as (hashtag, attributes): their order and case do not matter. Loose: without attributes that do not tell columns apart."""
    name, *attributes = (part.strip().casefold() for part in tag.split("+"))
    return name, frozenset(attributes) - (_LOOSE if loose else frozenset())


def locate(table: Table, columns: Mapping[str, Column]) -> dict[str, int]:
    """Field -> place of its column. A heading as published comes first, then the tag, then the tag loosely, then other headings.

    A tag that several columns carry names them in their order, among the fields that share it.
    """
    found: dict[str, int] = {}
    free = dict(enumerate(table.header))

    def take(field: str, place: int) -> None:
        found[field] = place
        free.pop(place)

    def by_heading(names: Mapping[str, Sequence[str]]) -> None:
        for field, wanted in names.items():
            if field not in found:
                keys = {heading_key(name) for name in wanted}
                place = next((place for place, heading in free.items() if heading and heading_key(heading) in keys), None)
                if place is not None:
                    take(field, place)

    by_heading({field: [column.heading] for field, column in columns.items()})
    for loose in (False, True) if table.tags else ():
        for field, column in columns.items():
            if field in found or not column.tag:
                continue
            wanted = tag_key(column.tag, loose=loose)
            place = next((place for place in free if table.tags[place] and tag_key(table.tags[place], loose=loose) == wanted), None)
            if place is not None:
                take(field, place)
    by_heading({field: column.others for field, column in columns.items()})
    return found
