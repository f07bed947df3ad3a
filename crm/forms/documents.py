"""Forms of documents: making one."""

from __future__ import annotations

from crm.forms.base import BaseForm


class MakeForm(BaseForm):
    """One button: what is made is said by the address; the form token makes two clicks one document."""
