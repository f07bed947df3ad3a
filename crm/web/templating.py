"""How pages' templates look things up: the same answers as Jinja's own, sooner. A page asks a thousand times."""

from __future__ import annotations

import builtins
from typing import Any

from flask.templating import Environment

_METHODS = frozenset(dir(dict))


class PageEnvironment(Environment):
    """Flask's environment of templates."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`. Jinja tries it as an attribute first, which of a mapping's entries always fails, at the price of an exception."""
        if type(obj) is dict and attribute not in _METHODS:
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        try:
            return builtins.getattr(obj, attribute)
        except AttributeError:
            return super().getattr(obj, attribute)
