"""Asks: pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("asks", __name__, url_prefix="/asks")
