"""A list as its address asks for it: columns defined once for the page, the CSV and the XLSX; which of them are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from werkzeug.datastructures import MultiDict

from crm import clock
from crm.exchange.sheet_cells import joined
from crm.exchange.writing import Cell
from crm.formatting import day, moment, money
from crm.i18n import LazyText, _, get_locale
from crm.money import Money
from crm.policy import Actor, Permission, can
from crm.queries.paging import Page, Paging
from crm.services import bulk
from crm.web.helpers import args_with

#: What a column says of a row: text, several texts, a day, a moment, an amount, or nothing.
Value = str | Sequence[str] | date | datetime | Money | None
ASCENDING, DESCENDING = "ascending", "descending"
COLUMNS, LIST = "columns", "list"
_LONGEST = 1000


@dataclass(frozen=True)
class Column:
    """A column: what it says (`value`), and how the page dresses that; the files write it plainly.

    `also`: what the page shows inside the same cell (a reference, a currency) and the files write as columns of their own, before
    it where it is a currency. `needs`: what must be looked up for it. `sorts`: the sorts of its heading with their direction."""

    key: str
    label: LazyText
    value: Callable[[Any, Any], Value]
    dress: Callable[[Any, Any, Any], Any] | None = None
    phone: str = "labelled"
    is_usual: bool = True
    is_numeric: bool = False
    is_nowrap: bool = False
    is_moment: bool = False
    needs: str = ""
    sorts: tuple[tuple[str, str], ...] = ()
    also: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Reading:
    """The rows that an address means. `understood`: its arguments as they were understood, all else left out."""

    understood: Mapping[str, str]
    sort: str
    page: Callable[[Paging], Page[Any]]
    chunks: Callable[[], Iterator[Sequence[Any]]]
    around: Callable[[Sequence[Any], Collection[str]], Any]
    filters: Any = None
    today: Any = None


@dataclass(frozen=True)
class Listing:
    """A kind of list: its name (also that of its files), its page, its columns in their order, and how its address is read."""

    noun: str
    title: LazyText
    columns: tuple[Column, ...]
    read: Callable[[Mapping[str, str], Actor], Reading]

    @property
    def endpoint(self) -> str:
        """The page of the list."""
        return f"{self.place}.index"

    @property
    def place(self) -> str:
        """The blueprint of the list, where its page and its files are."""
        return self.noun.replace("-", "_")

    @property
    def usual(self) -> tuple[Column, ...]:
        """The columns shown where nobody chose any."""
        return tuple(column for column in self.columns if column.is_usual)

    def chosen(self, asked: Sequence[str]) -> tuple[Column, ...]:
        """The columns that an address names, in the order of the list, the first always among them; unknown names do not count."""
        names = {name for text in asked for name in text[:_LONGEST].split(",")}
        found = tuple(column for column in self.columns if column.key in names)
        if not found:
            return self.usual
        return found if found[0] is self.columns[0] else (self.columns[0], *found)


@dataclass(frozen=True)
class Seen:
    """A list with its columns as one reader sees it: what the page and the files are both made from."""

    listing: Listing
    reading: Reading
    columns: tuple[Column, ...]
    reader: Actor

    @classmethod
    def of(cls, listing: Listing, args: MultiDict[str, str], reader: Actor) -> Seen:
        """Read an address; a stranger's values are harmless."""
        return cls(listing, listing.read(args, reader), listing.chosen(args.getlist(COLUMNS)), reader)

    @property
    def arguments(self) -> dict[str, str]:
        """The shortest address that means the same: filters, sort and columns, without what goes without saying."""
        found = dict(self.reading.understood)
        if self.columns != self.listing.usual:
            found[COLUMNS] = ",".join(column.key for column in self.columns)
        return found

    @property
    def needs(self) -> set[str]:
        """What must be looked up beside the rows."""
        return {column.needs for column in self.columns if column.needs}

    # --- the page ---

    def headers(self) -> list[dict[str, Any]]:
        """The headings of the page's table."""
        return [
            {
                "key": column.key,
                "label": str(column.label),
                "phone": column.phone,
                "numeric": column.is_numeric,
                "nowrap": column.is_nowrap,
                **self._sort_of(column),
            }
            for column in self.columns
        ]

    def _sort_of(self, column: Column) -> dict[str, str]:
        if not column.sorts:
            return {}
        sorts, now = dict(column.sorts), self.reading.sort
        target = next((sort for sort in sorts if sort != now), now)
        address = url_for(self.listing.endpoint, **args_with(sort=target, page=None, after=None))
        return {"sort_url": address, "sorted": sorts.get(now, "")}

    def cells(self, rows: Sequence[Any]) -> list[list[Any]]:
        """The cells of the page's table; the first holds a check box where several rows can be changed together."""
        around = self.reading.around(rows, self.needs)
        cells = [[self._page_cell(column, row, around) for column in self.columns] for row in rows]
        if self.can_change_several:
            for found, row in zip(cells, rows, strict=True):
                found[0]["pick"] = str(row.id)
        return cells

    @property
    def can_change_several(self) -> bool:
        """Whether the reader may change several records of this list together."""
        return self.listing.noun in bulk.NOUNS and can(self.reader, Permission.CONTACT_LOG)

    def several(self, page: Page[Any]) -> dict[str, Any] | None:
        """What stands below the table for changing several rows; None where nothing can be done with them together."""
        if not (self.can_change_several and page.rows):
            return None
        noun, is_more = self.listing.noun, page.total > len(page.rows)
        return {
            "url": url_for("bulk.choose", noun=noun),
            "query": urlencode(self.arguments),
            "actions": [{"key": action.key, "label": str(action.label)} for action in bulk.NOUNS[noun].actions],
            "total": page.total if is_more and page.total <= bulk.MOST else 0,
            "most": bulk.MOST if is_more and page.total > bulk.MOST else 0,
        }

    def _page_cell(self, column: Column, row: Any, around: Any) -> Any:
        value = column.value(row, around)
        if column.dress is not None:
            return column.dress(row, around, value)
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, datetime):
            return moment(value, self.reader.timezone, get_locale(), names_zone=False)
        if isinstance(value, date):
            return day(value, get_locale())
        if isinstance(value, Money):
            return money(value, get_locale())
        return "; ".join(value)

    def choices(self) -> list[dict[str, Any]]:
        """Every column of the list, for choosing."""
        shown = {column.key for column in self.columns}
        return [
            {"key": column.key, "label": str(column.label), "is_shown": column.key in shown, "is_fixed": column is self.listing.columns[0]}
            for column in self.listing.columns
        ]

    def tools(self) -> dict[str, Any]:
        """What stands above the table: the columns to choose, and the addresses of the files."""
        arguments: dict[str, Any] = dict(self.arguments)
        kept = {name: value for name, value in arguments.items() if name != COLUMNS}
        is_usual = COLUMNS not in arguments
        return {
            "choices": self.choices(),
            "action": url_for(self.listing.endpoint),
            "kept": kept,
            "usual_url": "" if is_usual else url_for(self.listing.endpoint, **kept),
            "csv_url": url_for(f"{self.listing.place}.csv", **arguments),
            "xlsx_url": url_for(f"{self.listing.place}.xlsx", **arguments),
        }

    # --- the files ---

    def _file_columns(self) -> list[Column]:
        found: dict[str, Column] = {}
        for column in self.columns:
            units = [also for also in column.also if column.is_numeric]
            rest = [also for also in column.also if not column.is_numeric]
            for each in (*units, column, *rest):
                found.setdefault(each.key, each)
        return list(found.values())

    def file_header(self) -> list[str]:
        """The headings of the files; where a column holds moments, in which time zone."""
        zone = self.reader.timezone
        return [
            _("%(label)s (time in %(zone)s)", label=column.label, zone=zone) if column.is_moment else str(column.label)
            for column in self._file_columns()
        ]

    def file_chunks(self) -> Iterator[Iterator[list[Cell]]]:
        """All rows of the list as cells, a chunk at a time."""
        values, needs = [column.value for column in self._file_columns()], self.needs
        zone = clock.zone(self.reader.timezone)

        def plain(value: Value) -> Cell:
            if value is None or isinstance(value, str):
                return value
            if isinstance(value, datetime):
                return value.astimezone(zone)
            if isinstance(value, date):
                return value
            return value.amount if isinstance(value, Money) else joined(value)

        for rows in self.reading.chunks():
            around = self.reading.around(rows, needs)
            yield ([plain(value(row, around)) for value in values] for row in rows)
