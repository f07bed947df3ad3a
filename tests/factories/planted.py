"""One row of every scoped table for an office, every text a canary: what must never be seen from another office (P1)."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import Select, select

from crm import clock
from crm.db import db, transactional
from crm.models.asks import Ask, AskAnswer
from crm.models.codes import Code, CodeLabel
from crm.models.commitments import Commitment
from crm.models.documents import Document, Snapshot
from crm.models.files import File, FileContent
from crm.models.flows import Flow, PlanLink, PlanRequirement
from crm.models.imports import BULK, ImportBatch, ImportChange, ImportLayout, ImportReject, ImportSheet, ImportUndo
from crm.models.interactions import FollowUp, Interaction, Participant
from crm.models.jobs import Job
from crm.models.notes import Note
from crm.models.offices import Office
from crm.models.parties import Channel, Party, PartyDistinction, PartyIdentifier, PartyKind, PartyName, Position, Tenure
from crm.models.places import Place
from crm.models.pledges import (
    Agreement,
    AgreementBudgetLine,
    AgreementTerms,
    Allocation,
    Instalment,
    Pledge,
    PledgeTerms,
    Receipt,
    ReceiptMatch,
)
from crm.models.programmes import Indicator, Measurement, Output, Programme, ProgrammeTag, Requirement
from crm.models.saved_lists import SavedList
from crm.models.users import User
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from tests.factories import naughty

DAY = date(2026, 3, 4)
MOMENT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def plant(code: str, canary: str, *, level: str = "open", amount: int = 7_654_321_00) -> dict[str, uuid.UUID]:
    """Plant the rows; the ids by noun. Amounts are `amount` minor units, so that they too can be looked for."""
    with unscoped("test"):
        actor = system_actor(all_offices())
    bind_actor(actor)
    ids = _plant(code, canary, level, amount)
    bind_actor(None)
    return ids


@transactional
def plant_hostile(code: str) -> tuple[dict[str, uuid.UUID], dict[int, str]]:
    """Plant the rows with a hostile text in every column of text that people type; the ids by noun, and which column has which number.

    What is not scoped by an office, its own name, its people's and those of a code in use, is made hostile too."""
    with unscoped("test"):
        bind_actor(system_actor(all_offices()))
    ids = _plant(code, naughty.PAYLOAD + naughty.mark(998), "open", 7_654_321_00)
    columns: dict[int, str] = {}
    with unscoped("test"):
        entry = db.session.scalars(select(Code).where(Code.list_name == "party-kinds", Code.code == "donor")).one()
        db.session.add_all([CodeLabel(code_id=entry.id, language="fr", label="x")])
        for number, (mapper, attribute, column) in enumerate(naughty.typed_columns()):
            columns[number] = f"{mapper.local_table.name}.{column.name}"
            text = naughty.text_for(column, number)
            for place, record in enumerate(db.session.scalars(_planted(mapper.class_, ids["offices"], entry.id))):
                setattr(record, attribute, f"{text}{place or ''}")
        head = db.session.scalars(select(User).where(User.email.startswith("head@"))).one()
        for record in (*db.session.scalars(select(SavedList)), *db.session.scalars(select(ImportBatch))):
            setattr(record, "user_id" if isinstance(record, SavedList) else "created_by_id", head.id)  # who may do most reads them
        db.session.flush()
    return ids | {"codes": entry.id}, columns


def _planted(model: Any, office_id: uuid.UUID, code_id: uuid.UUID) -> Select[Any]:
    """The office's records of a model; of those that have no office, the one code."""
    unscoped_ones = {Office: Office.id == office_id, Code: Code.id == code_id, CodeLabel: CodeLabel.code_id == code_id}
    wanted = unscoped_ones[model] if model in unscoped_ones else model.office_id == office_id  # noqa: SIM401 - those three have no office
    return select(model).where(wanted).order_by(model.id)


@transactional
def _plant(code: str, canary: str, level: str, amount: int) -> dict[str, uuid.UUID]:  # noqa: PLR0915 - a list of rows
    office = db.session.scalars(select(Office).where(Office.code == code)).one()
    user = db.session.scalars(select(User).where(User.office_id == office.id)).first()
    assert user is not None
    own = {"office_id": office.id}
    both = {**own, "level": level}
    private = {**own, "visibility": "office"}
    serial = iter(range(9000, 9999))

    def ref(letters: str) -> str:
        return f"{code}-{letters}-2026-{next(serial)}-{level[:2]}"

    def keep(record):  # type: ignore[no-untyped-def]
        db.session.add(record)
        db.session.flush()
        return record

    party = keep(
        Party(
            **private,
            reference=ref("PA"),
            form="organisation",
            name=f"{canary} party",
            folded_name=f"{canary} party".lower(),
            about=f"{canary} about",
            website="https://example.org",
        )
    )
    person = keep(Party(**private, reference=ref("PA"), form="person", name=f"{canary} person", folded_name=f"{canary} person".lower()))
    keep(PartyKind(**private, party_id=party.id, kind="donor"))
    keep(PartyName(**private, party_id=party.id, name=f"{canary} alias", folded_name=f"{canary} alias".lower()))
    keep(PartyIdentifier(**private, party_id=party.id, scheme="fts", value=f"{canary} identifier"))
    keep(PartyDistinction(**own, one_id=min(party.id, person.id), other_id=max(party.id, person.id)))
    position = keep(Position(**private, organisation_id=party.id, title=f"{canary} post", portfolio=f"{canary} portfolio"))
    tenure = keep(
        Tenure(
            **private,
            position_id=position.id,
            person_id=person.id,
            starts_on=DAY,
            biography=f"{canary} biography",
            form_of_address=f"{canary} address",
        )
    )
    channel = keep(Channel(**own, party_id=party.id, kind="email", value=f"{canary}@example.org", label=canary))
    keeper = db.session.scalars(select(User).where(User.office_id == office.id).order_by(User.email)).first()
    assert keeper is not None
    kept = {**own, "user_id": keeper.id, "noun": "parties", "query": f"q={canary}"}
    saved_list = keep(SavedList(**kept, name=f"{canary} list {level}"))
    keep(SavedList(**kept, name=f"{canary} shared list {level}", is_shared=True))
    place = keep(Place(**own, name=f"{canary} place", code=f"{canary[:20]}-{level}"))
    programme = keep(
        Programme(
            **own,
            reference=ref("PR"),
            title=f"{canary} programme",
            summary=f"{canary} summary",
            place_id=place.id,
            starts_on=DAY,
            currency="USD",
            sector="12220",
        )
    )
    keep(ProgrammeTag(**own, programme_id=programme.id, scheme="crc", code="24"))
    keep(ProgrammeTag(**own, programme_id=programme.id, scheme="goal-area", code="2026-1"))
    output = keep(Output(**own, programme_id=programme.id, position=1, title=f"{canary} output"))
    keep(Requirement(**own, programme_id=programme.id, year=2026, amount_minor=amount, currency="USD", source=f"{canary} source"))
    indicator = keep(
        Indicator(
            **own, programme_id=programme.id, title=f"{canary} indicator", unit=canary, baseline_value=Decimal(1), target_value=Decimal(9)
        )
    )
    keep(Measurement(**own, indicator_id=indicator.id, measured_on=DAY, value=Decimal(5), source=f"{canary} measured"))
    ask = keep(
        Ask(
            **both,
            reference=ref("AS"),
            addressee_id=party.id,
            position_id=position.id,
            sentence=f"{canary} ask",
            fallback=f"{canary} fallback",
            programme_id=programme.id,
            by_when=DAY,
        )
    )
    interaction = keep(
        Interaction(
            **both,
            reference=ref("IN"),
            kind="meeting",
            state="held",
            starts_at=MOMENT,
            party_id=party.id,
            purpose=f"{canary} purpose",
            summary=f"{canary} summary",
            ask_id=ask.id,
            programme_id=programme.id,
            point_1=f"{canary} point",
            red_line=f"{canary} red line",
            place_text=f"{canary} place",
        )
    )
    planned = keep(
        Interaction(
            **both,
            reference=ref("IN"),
            kind="meeting",
            state="planned",
            starts_at=datetime(2027, 3, 4, 9, tzinfo=UTC),
            party_id=party.id,
            purpose=f"{canary} planned",
            ask_id=ask.id,
        )
    )
    keep(
        Participant(
            **both,
            interaction_id=interaction.id,
            position=1,
            side="theirs",
            party_id=person.id,
            name=f"{canary} participant",
            post=f"{canary} post",
        )
    )
    keep(AskAnswer(**both, ask_id=ask.id, interaction_id=interaction.id, answer="part", words=f"{canary} words"))
    commitment = keep(
        Commitment(
            **both,
            reference=ref("CO"),
            direction="theirs",
            kind="law-policy",
            party_id=party.id,
            words=f"{canary} promise",
            made_on=DAY,
            due_on=DAY,
            interaction_id=interaction.id,
            ask_id=ask.id,
            programme_id=programme.id,
        )
    )
    follow_up = keep(
        FollowUp(**both, text=f"{canary} follow-up", due_on=DAY, owner_id=user.id, party_id=party.id, interaction_id=interaction.id)
    )
    note = keep(Note(**both, party_id=party.id, body=f"{canary} note on the party"))
    keep(Note(**both, interaction_id=interaction.id, body=f"{canary} note on the meeting"))
    ids = {
        "parties": party.id, "people": person.id, "positions": position.id, "tenures": tenure.id, "channels": channel.id, "notes": note.id,
        "programmes": programme.id, "outputs": output.id, "indicators": indicator.id, "asks": ask.id, "interactions": interaction.id,
        "planned": planned.id, "commitments": commitment.id, "follow_ups": follow_up.id,
    }  # fmt: skip
    document_bytes = b"%PDF-1.7 canary"
    folder = Path(current_app.instance_path) / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    stored = f"{uuid.uuid4().hex}.pdf"
    (folder / stored).write_bytes(document_bytes)
    document = keep(
        Document(
            **both,
            reference=ref("DO"),
            slug="briefing-pack",
            title=f"{canary} pack",
            as_of=DAY,
            party_id=party.id,
            interaction_id=planned.id,
            pages=1,
            size=len(document_bytes),
            sha256=hashlib.sha256(document_bytes).hexdigest(),
            stored_as=stored,
        )
    )
    keep(
        Snapshot(
            **both, document_id=document.id, content=json.dumps({"document": {"references": []}, "text": canary}), html=f"<p>{canary}</p>"
        )
    )
    ids["documents"] = document.id
    ids["users"] = user.id
    file_bytes = f"{canary} {level} bytes".encode()
    content = keep(
        FileContent(
            **own,
            sha256=hashlib.sha256(file_bytes).hexdigest(),
            size=len(file_bytes),
            media_type="text/plain",
            stored_as=uuid.uuid4().hex,
            has_thumbnail=True,
        )
    )
    place_on_disk = Path(current_app.instance_path) / "files" / content.stored_as[:2] / content.stored_as
    place_on_disk.parent.mkdir(parents=True, exist_ok=True)
    place_on_disk.write_bytes(file_bytes)
    place_on_disk.with_suffix(".jpg").write_bytes(file_bytes)

    def attach(name: str, *, removed: bool = False, level: str = level, **record: uuid.UUID) -> uuid.UUID:
        words = {"name": f"{canary} {name}.txt", "caption": f"{canary} caption of {name}", "created_by_id": user.id}
        gone = {"removed_at": clock.now(), "removed_by_id": user.id} if removed else {}
        return keep(File(**own, **words, **gone, **record, level=level, content_id=content.id)).id

    attach("meeting", interaction_id=interaction.id)
    attach("planned", interaction_id=planned.id)
    attach("promise", commitment_id=commitment.id)
    attach("removed", removed=True, commitment_id=commitment.id)
    ids["files"] = attach("party", level="open", party_id=party.id) if level == "open" else attach("secret", interaction_id=interaction.id)
    if level != "open":
        return ids  # money is open to all whose scope covers the office
    words = keep(
        Commitment(
            **own,
            reference=ref("CO"),
            direction="theirs",
            kind="financial",
            party_id=party.id,
            words=f"{canary} pledge words",
            made_on=DAY,
            programme_id=programme.id,
        )
    )
    pledge = keep(
        Pledge(
            **own,
            id=words.id,
            reference=ref("PL"),
            donor_id=party.id,
            programme_id=programme.id,
            pledged_on=DAY,
            event_name=f"{canary} event",
            donor_reference=f"{canary} theirs",
            currency="EUR",
            announced_minor=amount,
            outstanding_minor=0,
            converted_minor=amount,
        )
    )
    agreement = keep(
        Agreement(
            **own,
            reference=ref("AG"),
            donor_id=party.id,
            pledge_id=pledge.id,
            title=f"{canary} agreement",
            donor_reference=canary,
            signed_on=DAY,
            currency="EUR",
            value_minor=amount,
            received_minor=amount - 100,
            next_due_on=DAY,
        )
    )
    announced = keep(
        PledgeTerms(
            **own, pledge_id=pledge.id, version=1, kind="announced", effective_on=DAY, change_minor=amount, reason=f"{canary} reason"
        )
    )
    keep(
        PledgeTerms(
            **own, pledge_id=pledge.id, version=2, kind="conversion", effective_on=DAY, change_minor=-amount, agreement_id=agreement.id
        )
    )
    terms = keep(
        AgreementTerms(
            **own, agreement_id=agreement.id, version=1, kind="signed", effective_on=DAY, change_minor=amount, reason=f"{canary} terms"
        )
    )
    keep(AgreementBudgetLine(**own, agreement_id=agreement.id, programme_id=programme.id, amount_minor=amount, currency="EUR"))
    instalment = keep(
        Instalment(
            **own,
            agreement_terms_id=terms.id,
            position=1,
            due_on=DAY,
            due_when=f"{canary} due",
            amount_minor=amount,
            currency="EUR",
            matched_minor=amount - 100,
        )
    )
    receipt = keep(
        Receipt(
            **own,
            reference=ref("RC"),
            donor_id=party.id,
            agreement_id=agreement.id,
            value_on=DAY,
            amount_minor=amount - 100,
            currency="EUR",
            bank_reporting_minor=amount,
            bank_reference=f"{canary} bank",
        )
    )
    attach("pledge", pledge_id=pledge.id)
    attach("agreement", agreement_id=agreement.id)
    attach("receipt", receipt_id=receipt.id)
    keep(ReceiptMatch(**own, receipt_id=receipt.id, instalment_id=instalment.id, amount_minor=amount - 100))
    allocation = keep(
        Allocation(
            **own,
            reference=ref("AL"),
            agreement_id=agreement.id,
            programme_id=programme.id,
            output_id=output.id,
            allocated_on=DAY,
            amount_minor=100,
            currency="USD",
            reason=f"{canary} why",
        )
    )
    batch = keep(
        ImportBatch(
            **own,
            reference=ref("IM"),
            format="fts-flows",
            file_name=f"{canary}.csv",
            sha256="0" * 64,
            size=1,
            state="applied",
            message=f"{canary} message",
            header=json.dumps({"header": [canary, f"{canary} too"], "tags": []}),
            rows=2,
            created=1,
            rejected=1,
        )
    )
    keep(ImportSheet(**own, batch_id=batch.id, settings=json.dumps({"sheet": f"{canary} sheet"})))
    several = keep(
        ImportBatch(
            **own,
            reference=ref("BU"),
            format=BULK,
            file_name="",
            sha256="",
            size=0,
            state="applied",
            message=f"{canary} message",
            header=json.dumps({"noun": "parties", "action": "country", "value": "JO"}),
            rows=1,
            created_by_id=keeper.id,
        )
    )
    keep(ImportSheet(**own, batch_id=several.id, settings=json.dumps({"ids": [str(party.id)], "query": ""})))
    ids["bulk"] = several.id
    keep(ImportLayout(**own, format="parties", headings="0" * 64, settings=json.dumps({"sheet": f"{canary} layout"})))
    keep(
        ImportChange(
            **own, batch_id=batch.id, noun="parties", record_id=party.id, field="about", old=f"{canary} old", new=f"{canary} about"
        )
    )
    keep(
        ImportUndo(
            **own, batch_id=batch.id, summary=json.dumps({"names": [{"noun": "parties", "id": str(person.id), "why": f"{canary} kept"}]})
        )
    )
    job = keep(Job(**own, kind="import", subject_id=batch.id, state="failed", tries=5, message=f"{canary} why", ended_at=MOMENT))
    keep(ImportReject(**own, batch_id=batch.id, row_number=3, column="amountUSD", reason=f"{canary} reason", raw=json.dumps([canary])))
    flow = keep(
        Flow(
            **own,
            source="fts",
            source_id=f"{canary}1",
            batch_id=batch.id,
            status="paid",
            boundary="incoming",
            on_boundary="single",
            amount_usd_minor=amount,
            flow_date=DAY,
            donor_id=party.id,
            donor_name=f"{canary} donor",
            recipient_id=party.id,
            recipient_name=f"{canary} recipient",
            plan_name=f"{canary} plan",
            description=f"{canary} flow",
            clusters=canary,
        )
    )
    keep(
        PlanRequirement(
            **own, source="fts", batch_id=batch.id, country="XXX", plan_name=f"{canary} plan", year=2026, requirements_usd_minor=amount
        )
    )
    link = keep(PlanLink(**own, source="fts", plan_name=f"{canary} plan", programme_id=programme.id))
    ids |= {
        "pledges": pledge.id,
        "agreements": agreement.id,
        "receipts": receipt.id,
        "allocations": allocation.id,
        "imports": batch.id,
        "jobs": job.id,
        "saved_lists": saved_list.id,
        "flows": flow.id,
        "terms": announced.id,
        "links": link.id,
        "instalments": instalment.id,
        "offices": office.id,
        "codes": db.session.scalars(select(Code.id).where(Code.code == "2026-1")).one(),
    }
    return ids
