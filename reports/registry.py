"""Every document there is: slug -> what it is called, what it needs, and how it is built. Pages, commands and tests read this."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from crm import formatting
from crm.errors import Invalid, NotFound
from crm.i18n import LazyText, _, _l, translations_for, use_locale
from crm.policy import Actor, Permission
from reports import briefing_pack, render
from reports.briefing_shapes import BriefingPack
from reports.reference_book import Reference, records_csv
from reports.render import Attachment, Frame
from reports.snapshots import Frozen, content_id, content_of

INTERNAL, PUBLIC = "internal", "public"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a report is about: `noun` says which kind of record its reference names."""

    name: str
    noun: str
    label: LazyText
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One request for a document: everything that its pages depend on and that is not in the database."""

    params: Mapping[str, uuid.UUID]
    as_of: date
    made_at: datetime
    timezone: str
    number: str
    lang: str = "en"
    level: str = INTERNAL
    is_demo: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """A document ready to be drawn, and what its row says."""

    frozen: Frozen
    record_level: str
    party_id: uuid.UUID | None
    interaction_id: uuid.UUID | None
    programme_id: uuid.UUID | None
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A kind of document."""

    slug: str
    title: LazyText
    permission: Permission
    parameters: tuple[Parameter, ...]
    template: str
    build: Callable[[Actor, Order], Built]
    levels: tuple[str, ...] = (INTERNAL,)
    refusals: Mapping[str, LazyText] = field(default_factory=dict)

    def check_level(self, level: str) -> None:
        """Refuse a level this document does not come in, with a sentence."""
        if level not in self.levels:
            raise Invalid(str(self.refusals.get(level) or _("This document does not come at that level.")), field="level")


def get(slug: str) -> Report:
    """A report by its slug; NotFound names those there are."""
    found = REPORTS.get(slug)
    if found is None:
        raise NotFound(_("There is no report %(slug)s. There are: %(slugs)s.", slug=slug, slugs=", ".join(REPORTS)))
    return found


def marks(*, is_demo: bool) -> tuple[str, ...]:
    """The words in the header of every page."""
    return (_("Demonstration data"),) if is_demo else ()


LEVEL_WORDS: Mapping[str, LazyText] = MappingProxyType({INTERNAL: _l("Internal"), PUBLIC: _l("Public")})


def _briefing_pack(actor: Actor, order: Order) -> Built:
    pack = briefing_pack.build(actor, order.params["interaction"], order.as_of, party_id=order.params.get("party"), lang=order.lang)
    data = records_csv(pack.references)
    with use_locale(order.lang):
        attachments = (Attachment("records.csv", data, _("Every mark of this pack with the records behind it"), "Data"),)
        content = content_of("briefing-pack", pack, title=pack.title, lang=order.lang, created=order.made_at, attachments=attachments)
        context = {
            "pack": pack,
            "frame": _frame(pack, order, content_id(content)),
            "made_at": formatting.moment(order.made_at, order.timezone, order.lang),
        }
    html = render.render_html("briefing_pack.html", context, order.lang, translations_for(order.lang))
    frozen = Frozen(pack.title, order.lang, order.made_at, content, html, attachments)
    return Built(frozen, pack.level, _id(pack.party_id), _id(pack.interaction_id), _id(pack.programme_id), pack.references)


def _frame(pack: BriefingPack, order: Order, snapshot: str) -> Frame:
    return Frame(
        title=pack.title,
        number=order.number,
        level=str(LEVEL_WORDS[order.level]),
        as_of=formatting.day(order.as_of, order.lang),
        marks=marks(is_demo=order.is_demo),
        office=pack.office,
        snapshot=snapshot,
    )


def _id(text: str) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None


REPORTS: Mapping[str, Report] = MappingProxyType(
    {
        report.slug: report
        for report in (
            Report(
                "briefing-pack",
                briefing_pack.TITLE,
                Permission.DOCUMENT_BUILD,
                (
                    Parameter("interaction", "interaction", _l("The meeting"), is_needed=True),
                    Parameter("party", "party", _l("The party it is about, where it is not the one met")),
                ),
                "briefing_pack.html",
                _briefing_pack,
                refusals=MappingProxyType(
                    {PUBLIC: _l("The briefing pack is internal and has no public form. A leave-behind is a document of its own.")}
                ),
            ),
        )
    }
)
