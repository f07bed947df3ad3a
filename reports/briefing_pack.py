"""The briefing pack for a meeting, internal level: one-page steer, who they are, promises, money, landscape, programme, follow-up.

Reads only. Every figure comes from `crm.queries.figures` and carries a mark that leads to the records behind it.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from crm import formatting
from crm.i18n import _l, use_locale
from crm.models.asks import Ask
from crm.models.base import OFFICE, OPEN, Levelled
from crm.models.commitments import Commitment
from crm.models.interactions import Interaction, Participant
from crm.models.notes import Note
from crm.models.parties import Tenure
from crm.policy import Actor, Permission, require
from crm.queries import briefing, commitments
from crm.queries.asks import ANSWER_LABELS
from crm.queries.briefing import Meeting
from crm.queries.figures.chains import donor_money
from crm.queries.figures.landscape import party_flows_summary
from crm.queries.figures.programmes import ProgrammeMoney, programme_money
from crm.queries.interactions import KIND_LABELS
from crm.queries.parties import KIND_NAMES
from crm.queries.programmes import programme_detail
from reports import charts
from reports.briefing_landscape import landscape, reported_of, reported_years, steer_facts
from reports.briefing_money import CHART_WIDTH, Plates, gap_of, money_page, programme_page, stage_facts, years_words
from reports.briefing_shapes import (
    BriefingPack,
    Contact,
    Fact,
    Link,
    Person,
    Plate,
    Promise,
    Promises,
    Question,
    Remark,
    Steer,
    Who,
)
from reports.charts import Event, Timeline
from reports.drawn_text import _, isolated, ngettext
from reports.printing import Printer, record
from reports.reference_book import NOTHING, Source

TITLE = _l("Briefing pack")
MOST_NAMED = 6
MOST_PROMISES = 14
MOST_EVENTS = 14
MOST_QUESTIONS = 6
LONGEST_CONTACT = 420
LONGEST_NOTE = 1200
MOST_NOTE_LINES = 20
LONGEST_LINK = 70
LONGEST_LABEL = 90
QUESTION_LENGTHS = (190, 130, 90, 60)
"""What a question quotes, in characters, from roomy to tight: all of them and lines to write on stay on one page."""
MOST_OWN_FACTS = 3
"""Figures of ours on page one up to which there is room for what FTS reports of them."""
SHEET_LINES = 18
"""Lines to write on that a follow-up sheet without questions has room for."""
FEWEST_LINES = 3


def build(actor: Actor, interaction_id: uuid.UUID, as_of: date, *, party_id: uuid.UUID | None = None, lang: str = "en") -> BriefingPack:
    """The pack of one meeting as of a day, as far as the actor's scope and level reach. Raises NotFound, Denied.

    Money of the donor with the meeting's office alone, in that office's reporting currency; `party_id`: brief about
    another party than the one the meeting is with (the ministry behind a visitor).
    """
    with use_locale(lang):
        meeting = briefing.meeting(interaction_id, as_of, party_id=party_id)
        require(actor, Permission.DOCUMENT_BUILD, meeting.interaction.office_id)
        return _Build(meeting, as_of, lang).pack()


class _Build:
    """One pack in the making: what was read, and the marks given so far in the order of the pages."""

    def __init__(self, meeting: Meeting, as_of: date, lang: str) -> None:
        self.meeting, self.as_of = meeting, as_of
        self.interaction, self.office, self.party = meeting.interaction, meeting.office, meeting.party
        self.printer = Printer(lang, meeting.office.timezone, as_of)
        self.meets_on = self.printer.local_day(meeting.interaction.starts_at)
        self.plates = Plates()
        self.contacts = briefing.contacts(meeting, as_of)
        self.promises = briefing.promises(meeting, as_of)
        self.asks = briefing.asks_of(meeting)
        self.notes = briefing.notes(meeting)
        ids = [party.id for party in meeting.about]
        self.donor = donor_money(ids, as_of, meeting.office.reporting_currency, office_ids=[meeting.office.id])
        self.titles = briefing.titles(
            [chain.pledge.id for chain in self.donor.chains if chain.pledge],
            [part.row.id for chain in self.donor.chains for part in chain.signed],
        )
        self.detail = programme_detail(meeting.programme.id) if meeting.programme else None
        self.programme_money = programme_money(meeting.programme.id, as_of) if meeting.programme else None
        self.reported = reported_of(party_flows_summary(party.id) for party in meeting.about)

    def pack(self) -> BriefingPack:
        """Every section in the order of the pages, so that marks count up."""
        printer = self.printer
        steer = self._steer()
        who = self._who()
        promises = self._promises()
        money = money_page(self.donor, self.titles, printer, self.plates)
        reported = landscape(self.reported, printer, self.plates)
        programme = None
        if self.detail is not None and self.programme_money is not None:
            programme = programme_page(self.detail, self.programme_money, printer, self.plates)
        questions, lines = self._sheet()
        return BriefingPack(
            title=_(
                "Briefing pack: %(party)s, %(day)s", party=self.party.name, day=printer.day(printer.local_day(self.interaction.starts_at))
            ),
            reference=self.interaction.reference,
            office=self.office.name,
            lang=printer.lang,
            as_of=self.as_of,
            level=self._level(),
            steer=steer,
            who=who,
            promises=promises,
            money=money,
            landscape=reported,
            programme=programme,
            questions=questions,
            lines=lines,
            references=printer.book.references,
            rates=printer.rate_lines,
            left_out=printer.left_out,
            plates=tuple(self.plates.all),
            party_id=str(self.party.id),
            interaction_id=str(self.interaction.id),
            programme_id=str(self.meeting.programme.id) if self.meeting.programme else "",
        )

    def _level(self) -> str:
        """`office` as soon as one record read for it is of that level: whoever may not read that may not read the pack."""
        ask = [self.interaction.ask] if self.interaction.ask else []
        read: tuple[Levelled, ...] = (self.interaction, *self.contacts, *self.promises, *self.asks, *self.notes, *ask)
        return OFFICE if any(row.level == OFFICE for row in read) else OPEN

    # --- 0 the steer -----------------------------------------------------------------------------------------

    def _steer(self) -> Steer:
        interaction, printer, ask = self.interaction, self.printer, self.interaction.ask
        ours = [_who_is(one) for one in interaction.participants if one.side == "ours"]
        theirs = [_who_is(one) for one in interaction.participants if one.side == "theirs"]
        facts = [fact for fact in stage_facts(self.donor, printer, is_short=True) if fact.figure.mark]
        if self.programme_money is not None and (gap := gap_of(self.programme_money)) is not None:
            money = self.programme_money
            sources = [*printer.sources(money.required), *printer.sources(money.secured)]
            figure = printer.plain(gap, _("Gap: need less secured, never below nothing"), sources, is_short=True)
            facts.append(Fact(_("Gap of the programme"), figure, self._gap_note(money)))
        steer = Steer(
            kicker=_("%(kind)s · %(reference)s", kind=KIND_LABELS[interaction.kind], reference=interaction.reference),
            title=self.party.name,
            when=printer.moment(interaction.starts_at),
            where=interaction.place_text,
            language=interaction.language,
            delegation=_listed(ours),
            theirs=_listed(theirs),
            purpose=interaction.purpose,
            ask=ask.sentence if ask else "",
            ask_line=self._ask_line(ask) if ask else "",
            ask_mark=self._mark(ask, "ask", _("The ask")) if ask else 0,
            fallback=interaction.fallback or (ask.fallback if ask else ""),
            offer=interaction.offer,
            points=tuple(interaction.points),
            red_line=interaction.red_line,
            facts=tuple(facts),
            chain=self._chain(),
            reported=steer_facts(self.reported, printer) if self.reported and len(facts) <= MOST_OWN_FACTS else (),
            reported_years=reported_years(self.reported.given) if self.reported else "",
        )
        return _sized(steer)

    def _gap_note(self, money: ProgrammeMoney) -> str:
        """Whose gap it is, and over which years."""
        years = years_words(money.needed_years)
        title = self.meeting.programme.title if self.meeting.programme else ""
        if len(money.needed_years) > 1:
            return _("%(programme)s, %(years)s together", programme=title, years=years)
        return _("%(programme)s, %(years)s", programme=title, years=years)

    def _ask_line(self, ask: Ask) -> str:
        parts = [ask.reference]
        if ask.amount is not None:
            parts.append(self.printer.amount(ask.amount))
        parts.append(self._wanted_by(ask.by_when))
        told = [answer for answer in ask.answers if answer.answer != "none"]
        if told:
            parts.append(_("last answer: %(answer)s", answer=ANSWER_LABELS[told[-1].answer]))
        return " · ".join(parts)

    def _wanted_by(self, day: date | None) -> str:
        """By when an ask is wanted; of a day before the meeting's, that it was."""
        if day is None:
            return _("no date set")
        if day < self.meets_on:
            return _("was due %(day)s", day=self.printer.day(day))
        return _("by %(day)s", day=self.printer.day(day))

    def _by_when(self, day: date | None) -> str:
        """A day of the follow-up sheet; one before the meeting is left to be written by hand."""
        return self.printer.day(day) if day is not None and day >= self.meets_on else ""

    def _mark(self, row: Ask | Commitment | Interaction | Note | Tenure, noun: str, what: str, reference: str = "") -> int:
        """The mark of a record that is quoted rather than counted."""
        name = reference or str(getattr(row, "reference", ""))
        return self.printer.of_records(name, name, what, [record(noun, row.id, name)]).mark

    def _chain(self) -> tuple[Link, ...]:
        """Ask -> commitment -> money -> programme, with what is missing said."""
        printer, money = self.printer, self.donor.money
        ask = self.interaction.ask or (self.asks[0] if self.asks else None)
        links = [
            Link(_("Ask"), ask.reference, "now" if ask is self.interaction.ask else "held", self._mark(ask, "ask", _("The ask")))
            if ask
            else Link(_("Ask"), _("no ask yet"), "open")
        ]
        theirs = [one for one in self.promises if one.direction == "theirs"]
        pledged = [chain.pledge for chain in self.donor.chains if chain.pledge]
        if pledged:
            newest = pledged[-1]
            figure = printer.of_records(
                newest.reference, newest.reference, _("The newest pledge"), [record("pledge", newest.id, newest.reference)]
            )
            links.append(Link(_("Commitment"), newest.reference, "held", figure.mark))
        elif theirs:
            links.append(Link(_("Commitment"), theirs[0].reference, "held", self._mark(theirs[0], "commitment", _("Their promise"))))
        else:
            links.append(Link(_("Commitment"), _("nothing promised yet"), "open"))
        if money.secured:
            figure = printer.reporting(money.secured, _("Secured by signature"), is_short=True)
            links.append(Link(_("Signed"), figure.text, "held", figure.mark))
        else:
            links.append(Link(_("Signed"), _("nothing signed yet"), "open"))
        if money.paid:
            figure = printer.reporting(money.paid, _("Paid, as received"), is_short=True)
            links.append(Link(_("Money"), figure.text, "held", figure.mark))
        else:
            links.append(Link(_("Money"), _("nothing paid yet"), "open"))
        programme = self.meeting.programme
        if programme is not None:
            mark = printer.of_records(
                programme.reference, programme.reference, _("The programme"), [record("programme", programme.id, programme.reference)]
            ).mark
            links.append(Link(_("Programme"), _shortened(programme.title, LONGEST_LINK), "held", mark))
        else:
            links.append(Link(_("Programme"), _("no programme named"), "open"))
        return tuple(links)

    # --- 1 who they are --------------------------------------------------------------------------------------

    def _who(self) -> Who:
        printer = self.printer
        names = [name.name for party in self.meeting.about for name in party.names if name.name != party.name]
        kinds = dict.fromkeys(str(KIND_NAMES[kind.kind]) for party in self.meeting.about for kind in party.kinds)
        people = (*(self._person(tenure) for tenure in self.meeting.tenures), *self._named())
        last = self.contacts[: briefing.LAST_CONTACTS]
        contacts = tuple(self._contact(one) for one in last)
        line = NOTHING
        if self.contacts:
            count = len(self.contacts)
            text = ngettext("%(num)d contact in the last two years", "%(num)d contacts in the last two years", count)
            line = printer.of_records(
                text,
                str(count),
                _("Interactions held in the last two years"),
                [record("interaction", one.id, one.reference) for one in self.contacts],
            )
        timeline = self._timeline()
        remarks = tuple(self._remark(note) for note in self.notes)
        return Who(
            name=" · ".join(isolated(party.name) for party in self.meeting.about),
            other_names=", ".join(isolated(name) for name in dict.fromkeys(names)),
            kinds=", ".join(kinds),
            about="\n\n".join(party.about for party in self.meeting.about if party.about),
            people=people,
            contacts=contacts,
            contact_line=line,
            timeline=timeline,
            notes=remarks,
        )

    def _person(self, tenure: Tenure) -> Person:
        post = _("%(title)s, %(organisation)s", title=tenure.position.title, organisation=tenure.position.organisation.name)
        since = _("since %(day)s", day=self.printer.day(tenure.starts_on)) if tenure.starts_on else ""
        mark = self._mark(tenure, "tenure", _("Post of %(name)s", name=tenure.person.name), tenure.person.reference)
        return Person(tenure.person.name, post, tenure.form_of_address, since, tenure.biography, mark)

    def _named(self) -> list[Person]:
        """Those of their side who were written down for the meeting and hold no post on record."""
        holders = {tenure.person_id for tenure in self.meeting.tenures}
        posts = {(_folded(tenure.person.name), _folded(tenure.position.title)) for tenure in self.meeting.tenures}
        names = {name for name, _title in posts}
        left = [
            one
            for one in self.interaction.participants
            if one.side == "theirs" and one.party_id not in holders and not self._is_known(one, names, posts)
        ]
        if not left:
            return []
        mark = self._mark(self.interaction, "interaction", _("The meeting and those named for it"))
        return [Person(one.name, one.post, "", "", "", mark, is_named=True) for one in left]

    @staticmethod
    def _is_known(one: Participant, names: set[str], posts: set[tuple[str, str]]) -> bool:
        """Typed by name, and listed with a post already."""
        name = _folded(one.name)
        return name in names if not one.post else (name, _folded(one.post)) in posts

    def _contact(self, one: Interaction) -> Contact:
        answers = [
            _("“%(ask)s”: %(answer)s", ask=_shortened(answer.ask.sentence, LONGEST_LINK), answer=ANSWER_LABELS[answer.answer])
            for answer in one.answers
        ]
        text = one.summary or one.purpose
        day = self.printer.day(self.printer.local_day(one.starts_at))
        return Contact(
            day,
            str(KIND_LABELS[one.kind]),
            _shortened(text, LONGEST_CONTACT),
            "; ".join(answers),
            one.reference,
            self._mark(one, "interaction", _("Interaction held")),
        )

    def _remark(self, note: Note) -> Remark:
        level = _("for our office only") if note.level == OFFICE else _("for everybody in scope")
        day = self.printer.day(self.printer.local_day(note.created_at))
        name = _("Note of %(day)s", day=day)
        is_short = len(note.body) <= LONGEST_NOTE and note.body.count("\n") <= MOST_NOTE_LINES
        body = note.body if is_short else _shortened(note.body, LONGEST_NOTE)
        return Remark(body, _("%(day)s, %(level)s", day=day, level=level), self._mark(note, "note", _("A note that is quoted"), name))

    def _timeline(self) -> Plate | None:
        printer = self.printer
        events: list[tuple[Event, Source]] = []
        for one in self.contacts:
            label = _shortened(one.purpose or one.summary or str(KIND_LABELS[one.kind]), LONGEST_LABEL)
            events.append((Event(printer.local_day(one.starts_at), label, "accent"), record("interaction", one.id, one.reference)))
        for chain in self.donor.chains:
            if chain.pledge is not None and chain.announced is not None:
                amount = printer.amount(chain.announced.announced.money, is_short=True)
                source = record("pledge", chain.pledge.id, chain.pledge.reference)
                events.append((Event(chain.pledge.pledged_on, _("Pledged %(amount)s", amount=amount), "due"), source))
            for part in chain.signed:
                amount = printer.amount(part.money.secured.money, is_short=True)
                source = record("agreement", part.row.id, part.row.reference)
                events.append((Event(part.row.signed_on, _("Signed %(amount)s", amount=amount), "done"), source))
                for row, receipt in part.receipts:
                    paid = printer.amount(receipt.money, is_short=True)
                    events.append(
                        (Event(row.value_on, _("Paid %(amount)s", amount=paid), "paid"), record("receipt", row.id, row.reference))
                    )
        for promise in self.promises:
            if self._is_open(promise) and promise.due_on is not None and promise.due_on < self.as_of:
                label = _("Late: %(words)s", words=_shortened(promise.words, LONGEST_LABEL))
                events.append((Event(promise.due_on, label, "late"), record("commitment", promise.id, promise.reference)))
        if not events:
            return None
        events = sorted(events, key=lambda pair: (pair[0].day, pair[0].label))[-MOST_EVENTS:]
        figure = printer.of_records(
            str(len(events)), str(len(events)), _("Interactions, promises and money over time"), [source for _event, source in events]
        )
        chart = charts.timeline(
            Timeline(
                title=_("How the relationship has gone"),
                subtitle=_("Interactions, money and promises, by day"),
                source=_("Source: our records, as of %(day)s.", day=printer.day(self.as_of)),
                events=tuple(event for event, _source in events),
                today=self.as_of,
                today_label=_("Data as of"),
                kind_words=(
                    ("accent", _("Interaction")),
                    ("due", _("Pledge")),
                    ("done", _("Agreement")),
                    ("paid", _("Receipt")),
                    ("late", _("Promise due and not kept")),
                ),
                heads=(_("Date"), _("Event"), _("Kind")),
                empty=_("no events"),
            ),
            prefix=self.plates.prefix(),
            lang=printer.lang,
            width=CHART_WIDTH,
        )
        return self.plates.add(chart, [figure])

    # --- 2 promises ------------------------------------------------------------------------------------------

    def _promises(self) -> Promises:
        still_open = [one for one in self.promises if self._is_open(one)]
        ours = tuple(self._promise(one) for one in still_open if one.direction == "ours")[:MOST_PROMISES]
        theirs = tuple(self._promise(one) for one in still_open if one.direction == "theirs")[:MOST_PROMISES]
        record_facts = []
        for direction, label in (("ours", _("Our promises kept")), ("theirs", _("Their promises kept"))):
            settled = [one for one in self.promises if one.direction == direction and not self._is_open(one)]
            if settled:
                kept = sum(one.outcome == "kept" for one in settled)
                text = _("%(kept)s of %(all)s", kept=kept, all=len(settled))
                sources = [record("commitment", one.id, one.reference) for one in settled]
                record_facts.append(
                    Fact(label, self.printer.of_records(text, f"{kept}/{len(settled)}", label, sources), _("of those settled"))
                )
        return Promises(ours, theirs, tuple(record_facts))

    def _is_open(self, one: Commitment) -> bool:
        """Without an outcome on the day of the data: what was declared for a later day is not known yet."""
        return one.outcome is None or (one.outcome_on is not None and one.outcome_on > self.as_of)

    def _promise(self, one: Commitment) -> Promise:
        printer = self.printer
        standing = commitments.standing(None, one.due_on, self.as_of)
        word = formatting.due_day(one.due_on, self.as_of, printer.lang) if one.due_on and standing.tone == "late" else standing.word
        who = self.office.name if one.direction == "ours" else one.on_behalf_of or one.party.name
        made = _("%(who)s, %(day)s · %(reference)s", who=who, day=printer.day(one.made_on), reference=one.reference)
        due = _("due %(day)s", day=printer.day(one.due_on)) if one.due_on else _("no date agreed")
        kind = {"late": "late", "soon": "due"}.get(standing.tone, "open")
        return Promise(one.words, made, due, kind, word, one.evidence, self._mark(one, "commitment", _("Promise")))

    # --- 6 follow-up -----------------------------------------------------------------------------------------

    def _sheet(self) -> tuple[tuple[Question, ...], int]:
        """The questions, quoting as much as the one page of the sheet has room for, and the lines to write on that are left."""
        found: tuple[Question, ...] = ()
        for longest in QUESTION_LENGTHS:
            found = self._questions(longest)
            if _lines_to_write(found) >= FEWEST_LINES:
                break
        return found, max(FEWEST_LINES, _lines_to_write(found))

    def _questions(self, longest: int) -> tuple[Question, ...]:
        """Who, what, by when: our late promises first, then theirs, late money, and the ask of the day."""
        printer = self.printer
        late = [one for one in self.promises if self._is_open(one) and one.due_on and one.due_on < self.as_of]
        found = [
            Question(
                self.office.name,
                _("When do we keep this, and who answers for it? “%(words)s”", words=_shortened(one.words, longest)),
                self._by_when(one.due_on),
                self._mark(one, "commitment", _("Promise")),
            )
            for one in late
            if one.direction == "ours"
        ]
        for row in self.donor.money.instalments:
            if row.is_late:
                amount = printer.plain(
                    row.open_amount,
                    _("%(record)s: late instalment", record=row.source.reference),
                    [record(row.source.kind, row.source.id, row.source.reference)],
                )
                found.append(
                    Question(
                        self.party.name,
                        _(
                            "On which day will the open %(amount)s of %(reference)s be paid?",
                            amount=amount.text,
                            reference=row.source.reference,
                        ),
                        self._by_when(row.due_on),
                        amount.mark,
                    )
                )
        found += [
            Question(
                one.party.name,
                _(
                    "What stands in the way, and by which day will it be done? “%(words)s”",
                    words=_shortened(one.words, longest),
                ),
                self._by_when(one.due_on),
                self._mark(one, "commitment", _("Promise")),
            )
            for one in late
            if one.direction == "theirs"
        ]
        ask = self.interaction.ask
        if ask is not None:
            found.append(
                Question(
                    self.party.name,
                    _(
                        "Who decides on our ask, on what evidence, and when do we hear? “%(ask)s”",
                        ask=_shortened(ask.sentence, longest),
                    ),
                    self._by_when(ask.by_when),
                    self._mark(ask, "ask", _("The ask")),
                )
            )
        return tuple(replace(one, who=_shortened(one.who, LONGEST_LINK)) for one in found[:MOST_QUESTIONS])


# --- small words -------------------------------------------------------------------------------------------------


def _who_is(one: Participant) -> str:
    return _("%(name)s, %(post)s", name=one.name, post=one.post) if one.post else isolated(one.name)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _listed(names: Sequence[str]) -> str:
    """The first names, and how many more."""
    shown = "; ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return _("%(names)s and %(num)d more", names=shown, num=more) if more > 0 else shown


def _shortened(text: str, longest: int) -> str:
    """The text on one line, cut at a word with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    return line[:longest].rsplit(" ", 1)[0].rstrip(",;:") + "…"


def _lines(texts: Iterable[str], width: float, size: float) -> int:
    return sum(max(1, len(charts.fit(text, width, size, 400))) for text in texts if text)


SIZES = ((15.0, 9.5), (13.0, 9.0), (11.5, 8.3), (10.0, 7.5), (9.0, 6.6))
"""Type sizes of the ask and of the text on page one, from roomy to tight: everything said stays on that one page."""
MOST_LINES = 9
_PAGE, _WIDE, _COLUMN, _FACT, _FIXED = 722.0, 480.0, 312.0, 47.0, 165.0  # points, as the style sheet lays them out
_LEADING, _BOLD = 1.42, 1.07
_WHO, _WHAT, _BESIDE = 88.0, 188.0, 116.0


def _sized(steer: Steer) -> Steer:
    """The steer at the largest size at which it stays on one page. Where even the smallest does not do, texts are cut to so
    many lines, and the whole of them stands on the next page (`in_full`)."""
    for size in range(len(SIZES)):
        if _height(steer, size) <= _PAGE:
            return replace(steer, size=size)
    size = len(SIZES) - 1
    large, body = SIZES[size]
    cut = steer
    for lines in range(MOST_LINES, 0, -1):
        cut = replace(
            steer,
            size=size,
            title=_cut(steer.title, _WIDE, 12.0 * _BOLD, 2),
            where=_cut(steer.where, _WIDE - 130, body, 1),
            delegation=_cut(steer.delegation, _WIDE - 80, body, 2),
            theirs=_cut(steer.theirs, _WIDE - 80, body, 2),
            purpose=_cut(steer.purpose, _WIDE - 80, body, 2),
            ask=_cut(steer.ask, _WIDE, large * _BOLD, max(3, lines)),
            fallback=_cut(steer.fallback, _COLUMN, body, lines),
            offer=_cut(steer.offer, _COLUMN, body, lines),
            points=tuple(_cut(point, _COLUMN - 16, body, lines) for point in steer.points),
            red_line=_cut(steer.red_line, _WIDE, (body + 1.5) * _BOLD, max(2, lines)),
        )
        if _height(cut, size) <= _PAGE:
            break
    whole = [
        (_("Purpose"), steer.purpose),
        (_("They"), steer.theirs),
        (_("Our delegation"), steer.delegation),
        (_("We ask"), steer.ask),
        (_("If not, then"), steer.fallback),
        *((_("Point to make"), point) for point in steer.points),
        (_("We offer"), steer.offer),
        (_("Red line"), steer.red_line),
    ]
    shown = {cut.purpose, cut.theirs, cut.delegation, cut.ask, cut.fallback, *cut.points, cut.offer, cut.red_line}
    return replace(cut, in_full=tuple((label, text) for label, text in whole if text and text not in shown))


def _lines_to_write(questions: Sequence[Question]) -> int:
    """How many lines the follow-up sheet has room for under "What was said", so that all of it stays on its one page."""
    if not questions:
        return SHEET_LINES
    rows = sum(max(_lines([one.what], _WHAT, 8.5), _lines([one.who], _WHO, 8.5)) * 12 + 8 for one in questions)
    return SHEET_LINES - math.ceil((rows + 52) / 20.25)


def _cut(text: str, width: float, size: float, lines: int) -> str:
    """The text, or as much of it as so many lines hold, with an ellipsis."""
    return text if _lines([text], width, size) <= lines else " ".join(charts.fit(text, width, size, lines))


def _fact_height(fact: Fact) -> float:
    return max(_FACT, 38.5 + 10.5 * _lines([fact.note], _BESIDE, 7.5))


def _height(steer: Steer, size: int) -> float:
    """About how high the first page comes out, in points, rather too much than too little."""
    large, body = SIZES[size]
    about = [f"{steer.where} {steer.language}", steer.delegation, steer.theirs, steer.purpose]
    head = (27 - 3 * size) * _lines([steer.title], _WIDE, (20 - 2 * size) * _BOLD) + body * _LEADING * (1 + _lines(about, _WIDE - 80, body))
    ask = large * _LEADING * _lines([steer.ask], _WIDE, large * _BOLD)
    column = body * _LEADING * (_lines([steer.fallback, steer.offer], _COLUMN, body) + _lines(steer.points, _COLUMN - 16, body))
    column = max(
        column + 60 + 5 * len(steer.points),
        sum(_fact_height(fact) for fact in (*steer.facts, *steer.reported)) + (45 if steer.reported else 0),
    )
    red = (body + 1.5) * _LEADING * _lines([steer.red_line], _WIDE, (body + 1.5) * _BOLD)
    return head + ask + column + red + _FIXED
