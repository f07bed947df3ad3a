// Keeps the typed text of <form data-draft="key"> in this tab until it is saved. Never passwords, files, hidden
// fields (but `version`: a restored draft must still meet the conflict check) or forms marked data-sensitive.
const root = document.documentElement;
const actor = root.dataset.actor || "";
const PREFIX = "draft:";
const SENT = "draft-sent";
const MAX_AGE = 12 * 60 * 60 * 1000;

let isLeaving = false; // signed out: what is typed from now on is nobody's
let store = null;
try {
  store = window.sessionStorage;
  store.getItem(SENT);
} catch {
  store = null; // storage is turned off: the page works, nothing is kept
}

const nameOf = (form) => `${PREFIX}${actor}:${form.dataset.draft}`;
const isKept = (field) =>
  field.name && !field.closest("[data-sensitive]") && field.autocomplete !== "off"
  && (field.type !== "hidden" || field.name === "version")
  && !["password", "file", "submit", "button", "reset", "image"].includes(field.type)
  && field.tagName !== "BUTTON" && field.tagName !== "FIELDSET" && field.tagName !== "OUTPUT";

function read(form) {
  const values = [];
  for (const field of form.elements) {
    if (!isKept(field)) continue;
    if (field.type === "checkbox" || field.type === "radio") values.push([field.name, field.value, field.checked]);
    else if (field.multiple) values.push([field.name, null, [...field.selectedOptions].map((option) => option.value)]);
    else values.push([field.name, null, field.value]);
  }
  return values;
}

function write(form, values) {
  const seen = {};
  for (const [name, value, content] of values) {
    const fields = [...form.elements].filter((field) => field.name === name && isKept(field));
    if (value !== null) {
      const field = fields.find((one) => one.value === value);
      if (field) field.checked = content;
    } else {
      const at = seen[name] || 0;
      seen[name] = at + 1;
      const field = fields[at];
      if (!field) continue;
      if (Array.isArray(content)) for (const option of field.options) option.selected = content.includes(option.value);
      else field.value = content;
    }
  }
}

function forgetAll(except) {
  for (const key of Object.keys(store)) if (key.startsWith(PREFIX) && !(except && key.startsWith(except))) store.removeItem(key);
}

const hours = (at) => new Intl.DateTimeFormat(root.lang || undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);

function tell(form, template, at, canDiscard) {
  const line = form.querySelector("[data-save-status]");
  if (!line || !template) return;
  line.textContent = template.replace("{time}", hours(at));
  if (!canDiscard || !line.dataset.textDiscard) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link-button";
  button.textContent = line.dataset.textDiscard;
  button.addEventListener("click", () => {
    store.removeItem(nameOf(form));
    form.dataset.draftOff = "1";
    window.location.reload();
  });
  line.append(" ", button);
}

// Back to a form of something new that was saved: the browser shows what was typed as if it were not. Where a record is
// changed, its version says so.
const savedOf = (name) => `${name} saved`;

function noteSaved(name) {
  try {
    store.setItem(savedOf(name), JSON.stringify({ at: Date.now(), page: window.location.href }));
  } catch { /* full: the page works, only this is not said */ }
}

function tellSaved(form) {
  const line = form.querySelector("[data-save-status]");
  const saved = JSON.parse(store.getItem(savedOf(nameOf(form))));
  if (!line || !line.dataset.textSent || !saved || Date.now() - saved.at > MAX_AGE) return;
  if ((form.elements.version && form.elements.version.value) || form.querySelector("[data-was-saved]")) return;
  const note = document.createElement("p");
  note.className = "save-status tone-soon";
  note.dataset.wasSaved = "";
  const link = document.createElement("a");
  link.href = saved.page;
  link.textContent = line.dataset.textOpen;
  note.append(line.dataset.textSent.replace("{time}", hours(saved.at)), " ", link);
  line.before(note); // stays while the line says what becomes of the draft
}

export function keepDrafts() {
  if (!store) return;
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-sign-out]")) return;
    isLeaving = true;
    forgetAll();
  });
  // another person on the same tab never sees what the one before typed
  if (actor) forgetAll(`${PREFIX}${actor}:`);

  // sent, and we are now on a good page without that form: it was saved
  const sent = store.getItem(SENT);
  const forms = [...document.querySelectorAll("form[data-draft]:not([data-sensitive])")];
  const isRefused = "hasErrors" in root.dataset;
  // an answer to what was sent is the same form, though it may know by now whom it is about; and it is no page of its own
  // to come back to: asked for again, it is the page that it was sent from, with what was typed
  const given = forms.filter((form) => "draftGiven" in form.dataset);
  const mine = `${PREFIX}${actor}:`;
  if (sent && sent.startsWith(mine) && given.length === 1) {
    given[0].dataset.draft = sent.slice(mine.length);
    window.history.replaceState(window.history.state, "", store.getItem(`${SENT}:from`));
  }
  if (sent) {
    const isHere = forms.some((form) => nameOf(form) === sent) && store.getItem(`${SENT}:from`) === window.location.href;
    // a sign-in page, a refusal, or a page that is no answer (the line was cut, and somebody went on) keeps it
    const isDone = document.querySelector(".flash.tone-done") !== null;
    if (actor && !isRefused && !isHere && (isDone || "answer" in root.dataset || document.querySelector(".flash"))) {
      store.removeItem(sent);
      if (isDone) noteSaved(sent);
    }
    store.removeItem(SENT);
    store.removeItem(`${SENT}:from`);
  }
  if (!actor) return;
  const isBack = window.performance.getEntriesByType("navigation").some((one) => one.type === "back_forward");
  if (isBack) forms.forEach(tellSaved);
  else forms.forEach((form) => { if (!("draftGiven" in form.dataset)) store.removeItem(savedOf(nameOf(form))); }); // a new one
  window.addEventListener("pageshow", (event) => { if (event.persisted) forms.forEach(tellSaved); });

  for (const form of forms) {
    const line = form.querySelector("[data-save-status]");
    const texts = line ? line.dataset : {};
    const initial = JSON.stringify(read(form));
    if (!isRefused && !("draftGiven" in form.dataset)) { // an answer to what was just sent knows better
      try {
        const draft = JSON.parse(store.getItem(nameOf(form)));
        if (draft && Date.now() - draft.at < MAX_AGE && JSON.stringify(draft.values) !== initial) {
          growTo(form, draft.values);
          write(form, draft.values);
          tell(form, texts.textRestored, draft.at, true);
        }
      } catch { store.removeItem(nameOf(form)); }
    }
    let timer = 0;
    const save = () => {
      clearTimeout(timer);
      timer = 0;
      if (isLeaving || form.dataset.draftOff) return;
      const at = Date.now();
      try {
        store.setItem(nameOf(form), JSON.stringify({ at, values: read(form) }));
        tell(form, texts.textSaved, at, false);
      } catch { /* full: typing goes on */ }
    };
    const soon = () => { if (!timer) timer = setTimeout(save, 800); };
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    form.addEventListener("submit", () => {
      save();
      try {
        store.setItem(SENT, nameOf(form));
        store.setItem(`${SENT}:from`, window.location.href);
      } catch { store.removeItem(SENT); /* full */ }
    });
    window.addEventListener("pagehide", () => { if (timer) save(); });
  }
}

// a draft may hold more rows than the server just sent
function growTo(form, values) {
  const names = new Set(values.map(([name]) => name));
  for (const list of form.querySelectorAll("[data-repeat]")) {
    const highest = Math.max(-1, ...[...names].filter((name) => name.startsWith(`${list.dataset.repeat}-`))
      .map((name) => Number.parseInt(name.slice(list.dataset.repeat.length + 1), 10)).filter(Number.isInteger));
    for (let n = list.querySelectorAll("[data-repeat-row]").length; n <= highest && n < 100; n += 1) {
      list.dispatchEvent(new CustomEvent("repeat:add"));
    }
  }
}
