"""P4 in a real browser: a hostile text in every text column, every page opened; nothing runs and the policy has nothing to report."""

from __future__ import annotations

import threading

import pytest
from werkzeug.serving import make_server

from tests.architecture.routes import routes
from tests.architecture.test_any_text import address_of
from tests.e2e.test_pages import NOT_A_PAGE
from tests.factories import naughty, world
from tests.factories.planted import plant_hostile

pytestmark = pytest.mark.e2e
#: Calls that only a text of ours would make, and what the policy stopped, told to the test as they happen.
WATCH = """
for (const name of ["alert", "confirm", "prompt", "open", "eval"]) window[name] = () => told(`${name} on ${location}`);
const ask = window.fetch;
window.fetch = (to, ...more) => {
  if (new URL(to.url ?? to, location).origin !== location.origin) told(`fetch of ${to}`);
  return ask(to, ...more);
};
document.addEventListener("securitypolicyviolation", (event) => told(`${event.violatedDirective} on ${location}: ${event.sample}`));
"""


@pytest.fixture
def served(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(30)
    server.server_close()


@pytest.mark.slow
def test_nothing_runs_on_any_page(app, served, chromium):
    with app.app_context():
        ids, _columns = plant_hostile("JOR")
    told, opened = [], set()
    left = [
        route for route in routes(app) if route.method == "GET" and route.needs != "public" and not route.rule.rule.endswith(NOT_A_PAGE)
    ]
    for name in ("head", "admin"):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
        context.expose_function("told", lambda what: told.append(what))  # noqa: PLW0108 - playwright marks the function it is given
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("console", lambda message: told.append(message.text) if "Content Security Policy" in message.text else None)
        page.on("request", lambda request: told.append(request.url) if request.url.endswith(("/zqz", "//")) else None)
        page.goto(f"{served}/sign-in")
        page.get_by_label("E-mail address").fill(world.address(name))
        page.get_by_label("Password").fill(world.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/sign-in" not in address)
        refused = []
        for route in left:
            if (
                route.rule.rule.endswith((".json", "/suggest"))
                or "thumbnail" in route.rule.rule
                or route.rule.rule == "/files/<uuid:file_id>"
            ):
                continue
            answer = page.goto(served + address_of(route, app, ids), wait_until="load")
            if answer is not None and answer.status in {403, 404}:
                refused.append(route)
            else:
                opened.add(route.line)
        if name == "head":
            page.goto(served)
            page.keyboard.press("Control+k")
            page.keyboard.type(naughty.SIGN)
            page.get_by_role("option").first.wait_for()
            assert naughty.SIGN in page.get_by_role("option").first.inner_text()
        left = refused
        context.close()
    assert told == []
    assert len(opened) > 80
    assert [route.line for route in left] == []
