"""Home: the work list."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, url_for

from crm.policy import Permission, can
from crm.web.gate import actor, permit

bp = Blueprint("home", __name__)


@bp.get("/")
@permit(Permission.ACCOUNT_OWN)
def index() -> Any:
    """What needs me today. Who sees names only goes to offices and people."""
    if not can(actor(), Permission.RECORD_SEE):
        return redirect(url_for("offices.index"))
    return render_template("home/index.html")
