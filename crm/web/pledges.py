"""Pledges: pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("pledges", __name__, url_prefix="/pledges")
