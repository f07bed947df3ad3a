"""Every kind of file that can be brought in: its name, what it is for, how it is told apart, and its reader. A new format is one entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, Protocol

from crm.errors import Refused
from crm.exchange.columns import Column, locate
from crm.exchange.fts import FLOW_COLUMNS, REQUIREMENT_COLUMNS, FlowFile, RequirementFile, read_flows, read_requirements
from crm.exchange.rates import RATE_COLUMNS, RateFile, read_ecb, read_per_usd
from crm.exchange.tabular import MAX_BYTES, Table, open_table, read_bytes, unpack_single
from crm.i18n import LazyText
from crm.i18n import lazy_gettext as _l

ReadFile = FlowFile | RequirementFile | RateFile


class Reader(Protocol):
    """Reads a whole file into typed rows and problems, or raises `Refused`."""

    def __call__(self, source: bytes | BinaryIO, /) -> ReadFile:
        """Read it."""
        ...


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file. `slug` is stored with a batch; `suffixes` are what the upload accepts; `matches` looks at headings and tags only."""

    slug: str
    title: LazyText
    description: LazyText
    read: Reader
    matches: Callable[[Table], bool]
    suffixes: tuple[str, ...] = (".csv", ".tsv", ".txt", ".zip")
    max_bytes: int = MAX_BYTES


def _has_all(columns: Mapping[str, Column]) -> Callable[[Table], bool]:
    wanted = {field for field, column in columns.items() if column.required}
    return lambda table: wanted <= locate(table, columns).keys()


def _is_ecb(table: Table) -> bool:
    headings = {heading.casefold() for heading in table.header}
    return {"date", "usd", "gbp"} <= headings


FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        entry.slug: entry
        for entry in (
            FileFormat(
                "fts-flows",
                _l("FTS funding flows"),
                _l("Who gave what to whom, as OCHA's Financial Tracking Service publishes it, with or without the HXL row."),
                read_flows,
                _has_all(FLOW_COLUMNS),
            ),
            FileFormat(
                "fts-requirements",
                _l("FTS requirements and funding"),
                _l("What each response plan required and received, as OCHA's Financial Tracking Service publishes it."),
                read_requirements,
                _has_all(REQUIREMENT_COLUMNS),
            ),
            FileFormat(
                "rates-ecb",
                _l("ECB reference rates"),
                _l("The European Central Bank's file of one day or of all days, as CSV or ZIP."),
                read_ecb,
                _is_ecb,
                (".csv", ".zip"),
            ),
            FileFormat(
                "rates-per-usd",
                _l("Rates per US dollar"),
                _l("A currency, a rate and a date in each row: units of that currency per one US dollar."),
                read_per_usd,
                _has_all(RATE_COLUMNS),
            ),
        )
    }
)


def recognise(source: bytes | BinaryIO) -> FileFormat | None:
    """Return the format whose columns a file has, or None; raises `Refused` for a file that no reader could open."""
    data = read_bytes(source)
    table = open_table(unpack_single(data))
    return next((entry for entry in FORMATS.values() if entry.matches(table)), None)


def find(slug: str) -> FileFormat:
    """Return a format by its slug. Raises `Refused` for an unknown one."""
    if slug not in FORMATS:
        message = f"There is no file format “{slug[:40]}”."
        raise Refused(message)
    return FORMATS[slug]
