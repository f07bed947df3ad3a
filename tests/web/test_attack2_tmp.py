from crm.db import db
from crm.models.interactions import Interaction
from crm.policy import bind_actor
from crm.services import users
from tests.factories import world
from tests.factories.parties import make
from tests.jobs.test_sheets import bring, sheet
from sqlalchemy import select

LOGX = sheet(
    ["Date", "With", "Summary", "Note"],
    ["2026-04-03", "Amal Haddad", "zzsecretsummary", "zzsecretnote"],
    ["2026-04-05", "Nobody Known", "zzrejected", ""],
)


def test_leak(app, browser):
    with app.app_context():
        actor = users.actor_by_email(world.address("officer"))
        bind_actor(actor)
        make(actor, "Amal Haddad", form="person")
        key = bring(actor, LOGX, kind="interactions").id
        one = db.session.scalars(select(Interaction)).one()
        ref = one.reference
        print(one.level)
        LOG2 = sheet(
            ["Date", "With", "Reference", "Place", "Summary"],
            ["2026-04-03", "Amal Haddad", ref, "zzplace", "zzchanged"],
            ["2026-04-03", "Amal Haddad", "", "", "zzlike"],
        )
        key2 = bring(actor, LOG2, kind="interactions").id
        bind_actor(None)
        db.session.remove()
    for who in ["regional", "hq", "auditor", "viewer", "admin", "manager"]:
        br = browser(who)
        for k in (key, key2):
            for p in (
                f"/imports/{k}",
                f"/imports/{k}/rows",
                f"/imports/{k}/columns",
                f"/imports/{k}/rejects.csv",
                "/imports/",
                f"/imports/{k}/undo",
            ):
                r = br.client.get(p)
                t = r.get_data(as_text=True)
                print(
                    who,
                    p[-12:],
                    r.status_code,
                    [
                        w
                        for w in ("zzsecretsummary", "zzsecretnote", "zznext", "zzrejected", "zzplace", "zzchanged", "zzlike", ref)
                        if w in t
                    ],
                )
