"""Vendored code lists (currencies, countries, rights, sectors …) and their typed accessors. Imports nothing of ours; origins in README.md."""

from __future__ import annotations

import csv
import lzma
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import available_timezones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HERE = Path(__file__).parent
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency. `minor_units` counts decimals (JPY 0, KWD 3); `active` is false for withdrawn ones (LTL, TRL)."""

    code: str
    name: str
    minor_units: int
    active: bool


@dataclass(frozen=True, slots=True)
class Country:
    """A country or area of ISO 3166-1. `name` is the common English name, `official_name` the UN's; `currency` may be empty (Antarctica)."""

    iso2: str
    iso3: str
    m49: str
    name: str
    official_name: str
    region: str
    sub_region: str
    currency: str
    least_developed: bool


@dataclass(frozen=True, slots=True)
class Article:
    """An article of the Convention on the Rights of the Child: our own short title, not the treaty's words."""

    number: int
    short_title: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Goal:
    """A Sustainable Development Goal, "1" to "17"."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Target:
    """A target of a Sustainable Development Goal ("3.8", "3.b"); the name is cut at about 110 characters."""

    code: str
    goal: str
    short_name: str


@dataclass(frozen=True, slots=True)
class Sector:
    """An OECD-DAC purpose code of five digits; `category` is its three-digit group. Withdrawn codes are kept, not active."""

    code: str
    name: str
    category: str
    active: bool


@dataclass(frozen=True, slots=True)
class Code:
    """A plain entry of a code list."""

    code: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class Earmarking:
    """A Grand Bargain earmarking modality, A to L, and its category (1 unearmarked … 4 tightly earmarked)."""

    code: str
    name: str
    category_code: str
    category_name: str


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _by(items: Iterable[_T], key: Callable[[_T], str]) -> Mapping[str, _T]:
    return MappingProxyType({key(item): item for item in items})


@lru_cache(maxsize=1)
def currencies() -> Mapping[str, Currency]:
    """Currencies by code, withdrawn ones included, in the order of their codes. Source: ISO 4217 by README.md."""
    return _by(
        (Currency(r["code"], r["name"], int(r["minor_units"]), r["active"] == "yes") for r in _rows("currencies.csv")), lambda c: c.code
    )


@lru_cache(maxsize=1)
def countries() -> Mapping[str, Country]:
    """Countries by ISO alpha-3 code. Source: datasets/country-codes (PDDL)."""
    return _by(
        (
            Country(
                r["iso2"],
                r["iso3"],
                r["m49"],
                r["name"],
                r["official_name"],
                r["region"],
                r["sub_region"],
                r["currency"],
                r["least_developed"] == "yes",
            )
            for r in _rows("countries.csv")
        ),
        lambda c: c.iso3,
    )


@lru_cache(maxsize=1)
def countries_by_iso2() -> Mapping[str, Country]:
    """The same countries by ISO alpha-2 code (IATI uses alpha-2, HXL and FTS alpha-3)."""
    return _by(countries().values(), lambda c: c.iso2)


@lru_cache(maxsize=1)
def crc_articles() -> Mapping[str, Article]:
    """Articles 1-42 of the Convention on the Rights of the Child by number ("24")."""
    return _by((Article(int(r["article"]), r["short_title"], r["cluster"]) for r in _rows("crc-articles.csv")), lambda a: str(a.number))


@lru_cache(maxsize=1)
def sdg_goals() -> Mapping[str, Goal]:
    """The 17 Sustainable Development Goals by code ("3")."""
    return _by((Goal(r["code"], r["name"]) for r in _rows("sdg-goals.csv")), lambda g: g.code)


@lru_cache(maxsize=1)
def sdg_targets() -> Mapping[str, Target]:
    """The 169 targets by code ("3.8")."""
    return _by((Target(r["code"], r["goal"], r["short_name"]) for r in _rows("sdg-targets.csv")), lambda t: t.code)


@lru_cache(maxsize=1)
def dac_sectors() -> Mapping[str, Sector]:
    """OECD-DAC purpose codes by their five digits ("12220")."""
    return _by((Sector(r["code"], r["name"], r["category"], r["active"] == "yes") for r in _rows("dac-sectors.csv")), lambda s: s.code)


@lru_cache(maxsize=1)
def dac_sector_categories() -> Mapping[str, Code]:
    """OECD-DAC sector categories by their three digits ("122")."""
    return _by((Code(r["code"], r["name"], r["active"] == "yes") for r in _rows("dac-sector-categories.csv")), lambda c: c.code)


@lru_cache(maxsize=1)
def organisation_types() -> Mapping[str, Code]:
    """IATI organisation types by code ("10" Government)."""
    return _by((Code(r["code"], r["name"], r["active"] == "yes") for r in _rows("organisation-types.csv")), lambda c: c.code)


@lru_cache(maxsize=1)
def earmarking_modalities() -> Mapping[str, Earmarking]:
    """Grand Bargain earmarking modalities A-L by letter."""
    return _by(
        (Earmarking(r["code"], r["name"], r["category_code"], r["category_name"]) for r in _rows("earmarking.csv")), lambda e: e.code
    )


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A zone of the IANA database: "Asia/Amman", its place ("Amman"), the country's ISO alpha-2 code, and whether that has no other."""

    name: str
    place: str
    country: str
    is_only: bool


@lru_cache(maxsize=1)
def time_zones() -> Mapping[str, TimeZone]:
    """Zones that stand for a place, each country's own, by name in the order of names. Source: zone.tab of the package tzdata, as far
    as this machine knows the zones."""
    lines = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    pairs = sorted((name, country) for country, _place, name, *_note in (line.split("\t") for line in lines if line and line[0] != "#"))
    count = Counter(country for _name, country in pairs)
    known = available_timezones()
    return MappingProxyType(
        {
            name: TimeZone(name, name.partition("/")[2].replace("_", " ").replace("/", ", "), country, count[country] == 1)
            for name, country in pairs
            if name in known
        }
    )


def ecb_history_columns() -> list[list[str]]:
    """Return the ECB history by column: ["Date", day …] first (oldest day first), then ["USD", units per EUR …]; "" where none was published."""
    with lzma.open(HERE / "ecb-history.txt.xz", "rt", encoding="ascii") as file:
        return [line.rstrip("\n").split(",") for line in file]
