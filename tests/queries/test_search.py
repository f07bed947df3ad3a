"""Search: the same hits on both databases, in every script, in spite of a slip; nothing of what the reader may not see."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from crm.db import db, refresh_statistics, transactional
from crm.models.base import Levelled
from crm.models.interactions import Interaction, Participant
from crm.models.parties import Party, PartyName
from crm.models.search import SearchEntry, damage
from crm.policy import Actor, Permission, all_offices, bind_actor, system_actor, unscoped
from crm.queries import search, search_index
from crm.queries.search import Found, Query
from crm.queries.words import SOUND, asked, normalise
from crm.services import parties
from crm.services import search as index
from crm.services.parties import NewParty, OtherName
from tests.factories.parties import make, office_id
from tests.factories.planted import plant

Acting = Callable[[str], Actor]


def find(who: Actor, text: str, **more: object) -> Found:
    return search.find(who, Query.of(text), **more)  # type: ignore[arg-type]


def titles(found: Found, noun: str = "parties") -> list[str]:
    return [hit.title for group in found.groups if group.noun == noun for hit in group.hits]


def names(who: Actor, text: str) -> list[str]:
    found = find(who, text)
    return [*titles(found), *(hit.title for hit in found.near if hit.noun == "parties")]


def everything(found: Found) -> str:
    return repr(found)


def is_in_order() -> None:
    with unscoped("test"):
        assert list(search_index.wrong_entries()) == []
    assert damage() == ""


# --- words --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("JOR-PL-2026-0042", ["jor", "pl", "2026", "0042", "42"]),
        ("卫生部", ["卫生", "生部", "部"]),
        ("وزارة الصحّة", ["وزاره", "الصحه", "صحه"]),
        ("Ministère de la Santé", ["ministere", "de", "la", "sante"]),
        ("😀 !!! ¶ § «»", []),
        ("x" * 5000, ["x" * 40]),
    ],
)
def test_words_as_they_are_indexed(text: str, words: list[str]) -> None:
    assert normalise(text)[: len(words)] == words
    assert len(set(normalise(text))) == len(normalise(text))
    assert all(not set(word) & set(" \"'\\*:§¶") for word in [*normalise(text), *asked(text)])


# --- what is found ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Société Générale de Développement", "societe dev"),
        ("Ministry of Health", "heal minis"),
        ("Straßenkinder e.V.", "strassen"),
        ("وزارة الصحة", "وزاره صحة"),
        ("أحمد الخطيب", "احمد خطيب"),
        ("国家卫生健康委员会", "卫生"),
        ("国家卫生健康委员会", "会"),
        ("国家卫生健康委员会", "健康委"),
        ("Министерство здравоохранения", "МИНИСТ здрав"),
        ("Алёна Йорданова", "алена иордан"),
        ("กระทรวงสาธารณสุข", "สาธารณ"),
        ("Ünal Çelik", "unal celik"),
        ("ＵＮＩＣＥＦ", "unic"),
        ("O’Neill & Sons", "o'neill"),
        ("3M", "3m"),
    ],
)
def test_a_name_is_found_in_its_script(acting: Acting, name: str, typed: str) -> None:
    who = acting("officer")
    make(who, name)
    make(who, "Somebody else entirely")
    assert names(who, typed) == [name]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Ministry of Health", "minstry of helth"),
        ("Rana Haddad", "hadad"),
        ("Rana Haddad", "haddda"),
        ("Rana Haddad", "raan haddad"),
        ("Nguyen Foundation", "nguyne"),
        ("Министерство здравоохранения", "минестерство"),
        ("وزارة التربية", "وزارة الترببة"),
        ("Development Programme", "devlopmnt"),
    ],
)
def test_a_slip_is_forgiven(acting: Acting, name: str, typed: str) -> None:
    who = acting("officer")
    make(who, name)
    make(who, "Zoological Garden")
    assert names(who, typed) == [name]


def test_every_word_must_be_there(acting: Acting) -> None:
    who = acting("officer")
    make(who, "Ministry of Health")
    make(who, "Ministry of Water")
    assert titles(find(who, "ministry water")) == ["Ministry of Water"]
    assert find(who, "ministry elephants").is_empty


def test_the_very_name_comes_first_then_beginnings_then_the_newest(acting: Acting) -> None:
    who = acting("officer")
    make(who, "Water")
    for place in range(6):
        make(who, f"Board {place} of Water")
    make(who, "Water Board")
    assert titles(find(who, "water"))[:3] == ["Water", "Water Board", "Board 5 of Water"]
    assert titles(find(who, "Water", nouns=("parties",), most=3, by_name=False))[:2] == ["Water Board", "Board 5 of Water"]


def test_pages_of_hits_end_and_hold_each_once(acting: Acting) -> None:
    who = acting("officer")
    made = [make(who, f"Board {place} of Water") for place in range(7)]
    seen: list[uuid.UUID] = []
    after = None
    for _turn in range(4):
        found = find(who, "water", nouns=("parties",), most=3, after=after, by_name=False)
        seen += [hit.id for group in found.groups for hit in group.hits]
        after = found.groups[0].after
        if after is None:
            break
    assert seen == made[::-1]


def test_a_reference_leads_to_its_record(acting: Acting) -> None:
    who = acting("officer")
    key = make(who, "Ministry of Health")
    reference = db.session.scalars(select(Party.reference).where(Party.id == key)).one()
    exact = find(who, reference.lower()).exact
    assert exact is not None
    assert exact.id == key
    short = reference.partition("-")[2].replace("-0001", " 1")
    assert titles(find(who, short)) == ["Ministry of Health"]
    assert find(who, "JOR-PA-1999-0001").exact is None
    make(who, "Pa International 2026")
    make(who, f"Friends of {reference}")
    assert find(who, reference).groups == (), "it stands alone"
    assert [group.noun for group in find(who, f"friends {reference}").groups] == ["parties"]
    assert find(acting("other"), "JOR-XX-2026-0001").exact is None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a", "1", "中", '"', "'", "''''", '"a" OR "b"', "a AND NOT b", "NEAR(a b)", "*", "a*", "^a", "tokens:a", "{a b}:c", "-a", "a:*",
        "a & b | !c", "a <-> b", "\\", "\\'", "a\\'b", "%", "_", "😀", "👩‍👩‍👧", "\u202eabc", "a\u0000b", "\ud800", "§ministry", "¶ministry", "ﷺ", "ʼ", "x" * 100_000,
        "word " * 10_000, "' OR 1=1 --", "; DROP TABLE parties", "0", "٠١", "ـ", "ّ",
    ],
)  # fmt: skip
def test_any_text_has_an_answer(acting: Acting, text: str) -> None:
    who = acting("officer")
    make(who, "Ministry of Health")
    found = find(who, text)
    search.excerpt(["some text of " + text[:300]], Query.of(text).words)
    assert found.exact is None
    query = Query.of("word%d " * 1 + " ".join(f"w{place}" for place in range(10_000)))
    assert len(query.words) == search.MOST_ASKED
    assert query.is_cut


# --- nothing that the reader may not see ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["officer", "head", "regional", "hq", "auditor"])
def test_rows_of_others_change_nothing(acting: Acting, name: str) -> None:
    """P1 and P1b: not by a hit, an order, a candidate for a slip, a page of hits."""
    plant("JOR", "zzown")
    who = acting(name)
    texts = (
        "zz",
        "zzown",
        "zzwon",
        "z",
        "party",
        "zzkenya",
        "zzkenyacanary party",
        "zzkenyacanry",
        "KEN-PA-2026-9000-op",
        "KEN-PA-2026-9000",
        "zzhidden",
        "",
    )

    def answers() -> list[str]:
        bind_actor(who)
        found = [
            everything(find(who, text, most=most, nouns=nouns)) for text in texts for most in (1, 5) for nouns in ((), ("interactions",))
        ]
        return [*found, repr(search.recent(who, nouns=tuple(search_index.NOUNS), most=5))]

    before = answers()
    plant("KEN" if name != "hq" else "JOR", "zzkenyacanary", level="office")
    if name != "hq":
        plant("KEN", "zzkenyacanary")
    after = answers()
    if name == "hq":  # of an office-level record headquarters sees what has no level: parties, posts, programmes
        assert "canary purpose" not in "".join(after)
        assert "canary ask" not in "".join(after)
        assert "canary pack" not in "".join(after)
        assert "canary promise" not in "".join(after)
    else:
        assert after == before
        assert "canary" not in "".join(after)


def test_words_for_members_only_lead_nobody_else_to_the_record(acting: Acting) -> None:
    plant("JOR", "zzsecret", level="office")
    assert [hit.noun for group in find(acting("officer"), "zzsecret purpose").groups for hit in group.hits] == ["interactions"]
    for name in ("hq", "regional", "other", "admin"):
        assert find(acting(name), "zzsecret purpose").is_empty
    assert search.recent(acting("hq"), nouns=("interactions",), most=5) == ()


def test_a_note_never_makes_a_wider_record_findable(acting: Acting) -> None:
    plant("JOR", "zznote")
    assert find(acting("officer"), "zznote note").is_empty


def test_a_mark_alone_is_not_trusted(acting: Acting) -> None:
    """An entry that bears another office's mark by mistake is not shown: the scope stands on the entry and on the record."""
    plant("KEN", "zzkenya")
    who = acting("officer")
    _forge(office_id("JOR"))
    assert find(who, "zzkenya").is_empty


@pytest.mark.parametrize(("code", "level", "name"), [("KEN", "open", "officer"), ("JOR", "office", "regional")])
def test_the_index_itself_gives_no_key_of_an_entry_beyond_the_reader(acting: Acting, code: str, level: str, name: str) -> None:
    """Not only is the record read again: each wall holds without the others."""
    plant(code, "zzfar", level=level)
    _mark_as_open(office_id("JOR"))
    levelled = [one for one in search_index.NOUNS.values() if level == "open" or issubclass(one.model, Levelled)]
    assert search._matches(acting(name), Query.of("zzfar"), levelled, 50, None, by_name=True) == {}


@transactional
def _mark_as_open(jordan: uuid.UUID) -> None:
    with unscoped("test"):
        bind_actor(system_actor(all_offices()))
        for entry in db.session.scalars(select(SearchEntry)):
            entry.mark = search_index.mark(jordan, "open", search_index.NOUNS[entry.noun].letter)


@transactional
def _forge(jordan: uuid.UUID) -> None:
    for entry in db.session.scalars(select(SearchEntry)):
        letter = search_index.NOUNS[entry.noun].letter
        entry.mark, entry.circle = search_index.mark(jordan, "open", letter), "open"


def test_many_offices_are_asked_at_once_and_find_the_same(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    plant("JOR", "zzown")
    plant("KEN", "zzkenya")
    who = acting("regional")
    few = [everything(find(who, text)) for text in ("zz", "zzown part", "zzwon", "programme", "zzown programme")]
    monkeypatch.setattr(search, "MANY_OFFICES", 0)
    assert [everything(find(who, text)) for text in ("zz", "zzown part", "zzwon", "programme", "zzown programme")] == few
    assert "zzkenya" not in "".join(few)
    monkeypatch.setattr(search, "NEWEST", 1)  # then PostgreSQL asks its index for the rest
    assert [everything(find(who, text)) for text in ("zz", "zzown part", "zzwon", "programme", "zzown programme")] == few


def test_a_letter_finds_the_newest_of_an_office_however_many_there_are(acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest entries are looked at first, those of members apart: the same as when all that begin so are asked for."""
    who = acting("officer")
    key = make(who, "Ministry of Health")
    for place, purpose in enumerate(["zebra", "figures", "zone", "wells", "zone", "zulu", "wells", "zebra"]):
        _met(office_id("JOR"), key, purpose, place, "office" if place % 3 == 0 else "open")

    def found() -> list[str]:
        return [
            everything(find(acting(name), text, most=most))
            for name in ("officer", "regional")
            for text in ("z", "zo", "w z", "w")
            for most in (1, 3, 50)
        ]

    several = found()
    assert len(set(several)) > 8
    for newest in (1, 2, 3):  # then PostgreSQL asks its index for the rest
        monkeypatch.setattr(search, "NEWEST_OF_OFFICE", newest)
        assert found() == several
    monkeypatch.setattr(search, "_LETTERS", 0)
    assert found() == several


@transactional
def _met(office: uuid.UUID, party: uuid.UUID, purpose: str, place: int, level: str) -> None:
    at = datetime(2026, 3, 1 + place, 9, tzinfo=UTC)
    db.session.add(
        Interaction(
            office_id=office,
            party_id=party,
            reference=f"JOR-IN-2026-8{place:03}",
            kind="meeting",
            state="held",
            starts_at=at,
            purpose=purpose,
            summary="said",
            level=level,
        )
    )


# --- the index follows the records ----------------------------------------------------------------------------------------


def test_every_planted_noun_is_in_the_index(acting: Acting) -> None:
    plant("JOR", "zzown")
    who = acting("officer")
    found = {group.noun for group in find(who, "zzown").groups}
    assert found == set(search_index.NOUNS)
    is_in_order()


def test_an_edited_party_is_found_by_what_it_is_called_now(acting: Acting) -> None:
    who = acting("officer")
    key = make(who, "Ministry of Health", names=[OtherName("MoH", "acronym")])
    _meet(office_id("JOR"), key)
    assert [group.noun for group in find(who, "moh").groups] == ["parties", "interactions"]
    party = db.session.scalars(select(Party).where(Party.id == key)).one()
    parties.edit_party(who, key, party.version, NewParty("organisation", "Directorate of Wellbeing", names=[OtherName("DoW", "acronym")]))
    assert find(who, "health").is_empty
    assert find(who, "moh").is_empty
    for text in ("wellbeing", "dow", "wellbeeing"):
        assert names(who, text) == ["Directorate of Wellbeing"], text
    assert [group.noun for group in find(who, "dow").groups] == ["parties", "interactions"]
    is_in_order()


@transactional
def _meet(office: uuid.UUID, party_id: uuid.UUID) -> None:
    meeting = Interaction(
        office_id=office,
        reference="JOR-IN-2026-7000",
        kind="meeting",
        state="held",
        starts_at=datetime(2026, 3, 4, tzinfo=UTC),
        party_id=party_id,
    )
    db.session.add(meeting)
    db.session.flush()
    db.session.add(Participant(office_id=office, interaction_id=meeting.id, position=1, side="theirs", name="Salma Rifai"))


def test_parts_narrower_levels_and_deletions_are_followed(acting: Acting) -> None:
    who = acting("officer")
    key = make(who, "Ministry of Health")
    _meet(office_id("JOR"), key)
    assert [group.noun for group in find(who, "salma").groups] == ["interactions"]
    assert [group.noun for group in find(acting("hq"), "salma").groups] == ["interactions"]
    bind_actor(who)
    _narrow()
    assert find(acting("hq"), "salma").is_empty
    assert [group.noun for group in find(acting("officer"), "salma").groups] == ["interactions"]
    is_in_order()
    bind_actor(who)
    _remove()
    assert find(who, "salma").is_empty
    is_in_order()


@transactional
def _narrow() -> None:
    for record in (*db.session.scalars(select(Interaction)), *db.session.scalars(select(Participant))):
        record.level = "office"


@transactional
def _remove() -> None:
    for record in (*db.session.scalars(select(Participant)), *db.session.scalars(select(Interaction))):
        db.session.delete(record)


def test_what_is_rolled_back_is_not_found(acting: Acting) -> None:
    who = acting("officer")
    with pytest.raises(ValueError, match="no"):
        _fail(who)
    assert find(who, "ephemeral").is_empty
    is_in_order()


@transactional
def _fail(who: Actor) -> None:
    make(who, "Ephemeral Board")
    message = "no"
    raise ValueError(message)


def test_reindexing_mends_what_was_changed_beside_us_and_then_finds_nothing_to_do(context, acting: Acting) -> None:
    plant("JOR", "zzown")
    plant("JOR", "zzhidden", level="office")
    acting("officer")
    _damage()
    with unscoped("test"):
        wrong = list(search_index.wrong_entries())
    assert {"missing" if one.held is None else "stray" if one.wanted is None else "other" for one in wrong} == {"missing", "stray", "other"}
    actor = system_actor([])
    bind_actor(actor)
    written, dropped = index.reindex(actor)
    assert (written, dropped) == (len([one for one in wrong if one.wanted]), 1)
    is_in_order()
    assert index.reindex(actor) == (0, 0)
    with pytest.raises(Exception, match="administrator"):
        index.reindex(acting("officer"))
    assert Permission.OFFICE_MANAGE


@transactional
def _damage() -> None:
    entries = db.session.scalars(select(SearchEntry).order_by(SearchEntry.seq)).all()
    for entry in entries[::3]:
        db.session.delete(entry)
    for entry in entries[1::3]:
        entry.words = "something else"
    entries[2].record_id = uuid.uuid4()


def test_an_index_is_written_for_a_database_from_before_there_was_one(context, acting: Acting) -> None:
    plant("JOR", "zzown")
    acting("officer")
    _forget_all()
    index.bring_up_to_date()
    is_in_order()
    with unscoped("test"):
        before = db.session.scalar(select(func.max(SearchEntry.seq)))
    db.session.rollback()
    index.bring_up_to_date()
    with unscoped("test"):
        assert db.session.scalar(select(func.max(SearchEntry.seq))) == before


@transactional
def _forget_all() -> None:
    for entry in db.session.scalars(select(SearchEntry)):
        db.session.delete(entry)


def test_many_names_made_at_once_are_all_in_the_index(acting: Acting) -> None:
    who = acting("grants")
    made = parties.find_or_create_reported_organisations(
        who, office_id("JOR"), {f"Reported {place} Fund": ["donor"] for place in range(700)}
    )
    assert len(made) == 700
    is_in_order()
    assert names(who, "reported 699")[0] == "Reported 699 Fund"  # then the one whose reference ends so
    assert db.session.scalar(select(func.count(PartyName.id))) == 0


# --- one name in two scripts --------------------------------------------------------------------------------------------

SCRIPTS = [
    ("محمد الخطيب", "khatib"),
    ("محمد الخطيب", "Mohammed Al-Khatib"),
    ("محمد الخطيب", "dr mohamad khateeb"),
    ("Dr Mohammed Al-Khatib", "الخطيب"),
    ("Dr Mohammed Al-Khatib", "محمد"),
    ("يوسف ناصر", "yousef"),
    ("Иван Петров", "petrov"),
    ("Ivan Petrov", "Петров"),
    ("Γιώργος Παπάς", "giorgos"),
]


@pytest.mark.parametrize(("written", "typed"), SCRIPTS)
def test_a_party_is_found_by_its_name_in_another_script(acting: Acting, written: str, typed: str) -> None:
    who = acting("officer")
    make(who, written, "person")
    make(who, "Somebody Else", "person")
    assert titles(find(who, typed)) == [written]
    for reader in ("regional", "hq"):  # under the marks of some offices, and of all
        assert titles(find(acting(reader), typed)) == [written], reader
    is_in_order()


def test_the_last_word_may_go_on_in_another_script_too(acting: Acting) -> None:
    who = acting("officer")
    make(who, "محمد الشريدة", "person")
    assert titles(find(who, "mohammed shrid")) == ["محمد الشريدة"]


def test_names_in_the_script_that_was_typed_come_first_and_do_not_hide_the_others(acting: Acting) -> None:
    who = acting("officer")
    for name in ("Rania Khatib", "Omar Khatib", "Sara Khatib", "Adam Khatib"):
        make(who, name, "person")
    make(who, "محمد الخطيب", "person")
    found = titles(find(who, "khatib"))
    assert found[-1] == "محمد الخطيب"
    assert len(found) == 5


def test_a_name_that_only_sounds_alike_in_the_same_script_is_no_hit(acting: Acting) -> None:
    who = acting("officer")
    make(who, "Kitabi Fund")
    make(who, "Omar Saleh", "person")
    assert titles(find(who, "khatib")) == []
    assert titles(find(who, "mary")) == []
    assert titles(find(who, "الخطيب محمود")) == []


def test_pages_of_hits_in_both_scripts_name_each_once(acting: Acting) -> None:
    who = acting("officer")
    for place in range(6):
        make(who, f"Khatib {place}", "person")
        make(who, f"الخطيب {place}", "person")
    seen: list[str] = []
    after = None
    for _page in range(10):
        found = find(who, "khatib", nouns=("parties",), most=5, after=after, by_name=False)
        seen += titles(found)
        after = found.groups[0].after if found.groups else None
        if after is None:
            break
    assert len(seen) == 12
    assert len(set(seen)) == 12


def test_nobody_of_another_office_is_found_in_another_script(acting: Acting) -> None:
    parties.create_party(acting("other"), office_id("KEN"), NewParty("person", "محمد الخطيب"))
    assert everything(find(acting("officer"), "khatib")) == everything(Found())


@transactional
def _as_before() -> None:
    """Entries as a version wrote them that knew no sounds."""
    for entry in db.session.scalars(select(SearchEntry)):
        entry.words = " ".join(word for word in entry.words.split() if not word.startswith(SOUND))


def test_an_index_of_older_words_is_written_anew_by_the_upgrade(acting: Acting) -> None:
    who = acting("officer")
    make(who, "محمد الخطيب", "person")
    _as_before()
    assert titles(find(who, "khatib")) == []
    index.bring_up_to_date()
    assert titles(find(acting("officer"), "khatib")) == ["محمد الخطيب"]
    is_in_order()


@pytest.mark.sqlite_only
def test_taking_words_out_of_the_index_reads_no_other_page_of_it(context: Flask) -> None:
    """Statistics of the index's own tables, made while it was nearly empty, had SQLite read all of it for every few rows."""
    refresh_statistics()
    with closing(db.engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("EXPLAIN QUERY PLAN DELETE FROM search_tokens_data WHERE id >= 1 AND id <= 2")
        assert [row[3] for row in cursor.fetchall()] == ["SEARCH search_tokens_data USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]
