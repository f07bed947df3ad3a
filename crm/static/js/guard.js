// A second press of the same button is ignored while the first is under way. Buttons are never disabled:
// they keep focus and say aria-disabled. The server's submission token is the real wall.
const PATIENCE = 10000; // a download leaves the page where it is: let go again

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-disabled=true]")) button.removeAttribute("aria-disabled");
}

export function guardSubmits() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    if (event.submitter) event.submitter.setAttribute("aria-disabled", "true");
    setTimeout(release, PATIENCE, form);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
  });
}

// Sensitive forms keep no draft in the browser, so leaving one half written asks the browser's own question.
export function guardSensitive() {
  for (const form of document.querySelectorAll("form[data-sensitive]")) {
    let typed = false;
    form.addEventListener("input", () => { typed = true; });
    form.addEventListener("submit", () => { typed = false; });
    window.addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });
  }
}
