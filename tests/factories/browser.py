"""A test client that behaves as a browser does: it fetches the form it sends, with its tokens, and checks each page."""

from __future__ import annotations

from typing import Any

import lxml.html
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def tree(response: TestResponse) -> Any:
    """The parsed page."""
    return lxml.html.document_fromstring(response.get_data(as_text=True))


class Browser:
    """A signed-in (or anonymous) person's browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, *, status: int = 200, **kwargs: Any) -> TestResponse:
        """GET a page, check status, title and labels."""
        response = self.client.get(path, **kwargs)
        assert response.status_code == status, (path, response.status_code, response.get_data(as_text=True)[:1500])
        if response.mimetype == "text/html":
            check_page(response)
        return response

    def fields(self, path: str, *, action: str | None = None) -> tuple[str, dict[str, Any]]:
        """The address and prefilled fields of the main form of a page (or of the form whose action ends with `action`)."""
        page = tree(self.get(path))
        forms = [form for form in page.forms if form.method.upper() == "POST" and "sign-out" not in (form.action or "")]
        if action is not None:
            forms = [form for form in forms if (form.action or "").endswith(action)]
        assert forms, f"no form on {path}"
        form = forms[0]
        values: dict[str, Any] = {}
        for name, value in form.form_values():
            if name in values:
                values[name] = [*values[name], value] if isinstance(values[name], list) else [values[name], value]
            else:
                values[name] = value
        return form.action or path, values

    def submit(self, path: str, data: dict[str, Any], *, action: str | None = None, status: int = 303) -> TestResponse:
        """Open a form, fill in `data`, send it; the answer, its status checked."""
        target, values = self.fields(path, action=action)
        values.update(data)
        values = {name: value for name, value in values.items() if value is not None}
        response = self.client.post(target, data=values)
        assert response.status_code == status, (target, response.status_code, errors(response))
        return response

    def token(self) -> str:
        """A CSRF token of this session."""
        found = tree(self.get("/account/")).xpath("//input[@name='csrf_token']/@value")
        return str(found[0])


def errors(response: TestResponse) -> list[str]:
    """The sentences of the error summary, or the start of the page."""
    text = response.get_data(as_text=True)
    if response.mimetype != "text/html" or not text:
        return [text[:500]]
    found = [" ".join(item.text_content().split()) for item in tree(response).xpath("//*[@role='alert']//li|//*[@role='alert']//p")]
    return found or [" ".join(tree(response).text_content().split())[:800]]


def check_page(response: TestResponse) -> None:
    """Every page has a title, one h1, a language, and a label for each visible control."""
    page = tree(response)
    assert page.findtext(".//title"), "a page without a title"
    assert len(page.xpath("//h1")) == 1, f"{len(page.xpath('//h1'))} h1 on {response.request.path}"
    assert page.get("lang")
    labelled = set(page.xpath("//label/@for"))
    for control in page.xpath("//input[not(@type='hidden')]|//select|//textarea"):
        if control.get("type") in ("submit", "button"):
            continue
        has_label = (
            control.get("id") in labelled or control.get("aria-label") or control.get("aria-labelledby") or control.xpath("ancestor::label")
        )
        assert has_label, f"no label: {lxml.html.tostring(control)[:200]!r} on {response.request.path}"
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids)), f"ids twice on {response.request.path}: {sorted({i for i in ids if ids.count(i) > 1})}"
