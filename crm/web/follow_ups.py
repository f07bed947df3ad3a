"""Follow ups: pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("follow_ups", __name__, url_prefix="/follow-ups")
