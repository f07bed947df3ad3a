"""Positions: pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("positions", __name__, url_prefix="/positions")
