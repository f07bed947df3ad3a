// Whom a form is about: names on record while somebody types, and "add as new" as one of them, so that somebody met for the first
// time costs no second page. Without a script the server asks back. Every word comes from the server and is set as text.
import { element } from "./palette.js";

const PAUSE = 150; // ms after the last key before the server is asked
let made = 0;

function suggestWhom(field) {
  const box = field.querySelector("input[type=text]");
  const part = (name) => [...box.form.querySelectorAll(`[name="${CSS.escape(box.name.replace(/text$/, name))}"]`)];
  const likely = [...(box.list?.options || [])].map((option) => ({ title: option.value, value: "" }));
  const said = document.getElementById(`${box.id}-said`);
  made += 1;
  const list = element("div", { class: "palette whom-list", role: "listbox", id: `whom-${made}`, "aria-label": field.querySelector("label").textContent.trim(), hidden: "" });
  const status = element("p", { class: "visually-hidden", role: "status" });
  box.parentElement.append(list);
  field.append(status);
  box.removeAttribute("list");
  for (const [key, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" })) {
    box.setAttribute(key, value);
  }
  let items = [];
  let options = [];
  let active = -1;
  let timer = 0;
  let asking = null;

  const point = (place) => {
    options[active]?.setAttribute("aria-selected", "false");
    active = place;
    const option = options[active];
    if (!option) { box.removeAttribute("aria-activedescendant"); return; }
    option.setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    point(-1);
  };
  const answer = (value) => { // what the hidden fields say of the text as it stands
    field.querySelector("[data-whom-options]")?.replaceWith(element("input", { type: "hidden", name: box.name.replace(/text$/, "choice") }));
    for (const hidden of part("choice")) hidden.value = value;
    for (const hidden of part("choice_for")) hidden.value = value ? box.value.trim() : "";
    const form = value.startsWith("new:") ? value.slice(4) : "";
    field.classList.toggle("is-new-person", form === "person");
    if (said) said.textContent = form ? field.getAttribute(`data-new-${form}`) : "";
  };
  const pick = (item) => {
    const isNew = item.value.startsWith("new:");
    if (!isNew) box.value = item.title;
    answer(item.value);
    if (isNew) for (const hidden of part("seen")) hidden.value = [hidden.value, ...items.filter((one) => one.is_alike).map((one) => one.value)].join(" ").trim();
    close();
    box.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const draw = (found, words) => {
    items = found;
    options = items.map((item, place) => {
      const text = element("span", { class: "palette-words" }, element("bdi", {}, item.title));
      if (item.note) text.append(" ", element("bdi", { class: "palette-note" }, item.note));
      const option = element("div", { class: "palette-item", role: "option", id: `${list.id}-${place}`, "aria-selected": "false" }, text);
      option.addEventListener("click", () => pick(item));
      return option;
    });
    active = -1;
    list.replaceChildren(...options);
    list.hidden = options.length === 0;
    box.setAttribute("aria-expanded", String(!list.hidden));
    box.removeAttribute("aria-activedescendant");
    status.textContent = words || "";
  };
  const ask = async () => {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    const query = new URLSearchParams({ q: box.value.slice(0, 300), office: (box.form.elements.office ?? box.form.elements.office_id)?.value || "", ...("whomAdd" in field.dataset && { add: "1" }) });
    try {
      const response = await fetch(`${field.dataset.whom}?${query}`, { signal: mine.signal, headers: { Accept: "application/json" } });
      const told = await response.json();
      if (mine === asking) draw(told.items, told.status);
    } catch {
      if (mine === asking) close(); // the form asks back
    }
  };
  const typed = () => {
    clearTimeout(timer);
    asking?.abort();
    if (box.value.trim().length < 2) draw(box.value.trim() ? [] : likely.slice(0, 8));
    else timer = setTimeout(ask, PAUSE);
  };
  box.addEventListener("input", () => { answer(""); typed(); });
  box.addEventListener("click", () => { if (list.hidden && !box.value) typed(); });
  box.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.altKey) {
      event.preventDefault();
      if (list.hidden) { typed(); return; }
      const step = event.key === "ArrowDown" ? 1 : -1;
      point(active < 0 && step < 0 ? options.length - 1 : (active + step + options.length) % options.length);
    } else if (event.key === "Enter" && !list.hidden && options[active]) {
      event.preventDefault();
      pick(items[active]);
    }
  });
}

export function suggestParties() {
  for (const field of document.querySelectorAll("[data-whom]")) suggestWhom(field);
}
