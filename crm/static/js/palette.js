// The box on top as a palette: suggestions while typing, arrows and Enter, Escape closes. Without a script it is a form that
// searches. Every word comes from the server as JSON and is set as text.
const PAUSE = 120; // ms after the last key before the server is asked

export function element(name, properties = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

function drawing(sprite, name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export function suggestAsTyped() {
  const box = document.querySelector("[data-find][data-suggest]");
  if (!box) return;
  const form = box.form;
  const sprite = form.querySelector("use").getAttribute("href").split("#")[0];
  const list = element("div", { class: "palette", role: "listbox", id: "palette", "aria-label": box.dataset.label, hidden: "" });
  const status = element("p", { class: "visually-hidden", role: "status" });
  form.append(list, status);
  for (const [key, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-controls": "palette", "aria-expanded": "false", "aria-haspopup": "listbox",
  })) box.setAttribute(key, value);

  let options = [];
  let active = -1;
  let timer = 0;
  let asking = null; // the request under way
  let isWaiting = false; // the list does not show yet what was typed
  let goes = false; // Enter was pressed meanwhile

  const choose = (place) => {
    if (options[active]) options[active].setAttribute("aria-selected", "false");
    active = place;
    const option = options[active];
    if (!option) {
      box.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };

  const close = () => {
    clearTimeout(timer);
    if (asking) asking.abort();
    asking = null;
    isWaiting = false;
    goes = false;
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
    choose(-1);
    status.textContent = "";
  };

  const draw = (answer) => {
    options = [];
    active = -1;
    list.replaceChildren();
    for (const group of answer.groups) {
      const inside = element("div", { role: "group", "aria-label": group.label || box.dataset.label });
      if (group.label) inside.append(element("div", { class: "palette-label", "aria-hidden": "true" }, group.label));
      for (const item of group.items) {
        const words = element("span", { class: "palette-words" }, element("bdi", {}, item.title));
        if (item.note) words.append(" ", element("bdi", { class: "palette-note" }, item.note));
        const option = element("a", {
          class: "palette-item", role: "option", id: `palette-${options.length}`, href: item.url, tabindex: "-1", "aria-selected": "false",
        }, drawing(sprite, item.icon), words);
        if (item.keys && document.documentElement.dataset.shortcuts !== "off") {
          option.append(element("kbd", { "aria-hidden": "true" }, item.keys));
        }
        options.push(option);
        inside.append(option);
      }
      list.append(inside);
    }
    list.hidden = options.length === 0;
    box.setAttribute("aria-expanded", String(!list.hidden));
    status.textContent = answer.status;
    choose(box.value.trim() ? 0 : -1);
  };

  const go = () => {
    const option = options[active];
    if (option) option.click();
    else form.submit();
  };

  const ask = async () => {
    if (asking) asking.abort();
    const mine = new AbortController();
    asking = mine;
    try {
      const address = `${box.dataset.suggest}?q=${encodeURIComponent(box.value.slice(0, 400))}`;
      const response = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" } });
      if (!response.ok || !(response.headers.get("content-type") || "").includes("json")) throw new Error("no suggestions");
      const answer = await response.json();
      if (mine !== asking) return;
      isWaiting = false;
      draw(answer);
      if (goes) go();
    } catch {
      if (mine !== asking) return; // a later question is under way, or the list was closed
      const wanted = goes;
      close();
      if (wanted) form.submit();
    }
  };

  const askSoon = (pause) => {
    clearTimeout(timer);
    if (asking) asking.abort(); // its answer is to other words: Enter would open a record that nobody asked for
    asking = null;
    isWaiting = true;
    timer = setTimeout(ask, pause);
  };

  box.addEventListener("input", () => { goes = false; askSoon(PAUSE); });
  box.addEventListener("focus", () => askSoon(0));
  box.addEventListener("click", () => { if (list.hidden && !isWaiting) askSoon(0); });
  box.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const { key } = event;
    if (key === "Escape" && (!list.hidden || isWaiting)) {
      event.preventDefault();
      close();
    } else if ((key === "ArrowDown" || key === "ArrowUp") && !event.altKey) {
      event.preventDefault();
      if (list.hidden) {
        askSoon(0);
        return;
      }
      const step = key === "ArrowDown" ? 1 : -1;
      choose(active < 0 && step < 0 ? options.length - 1 : (active + step + options.length) % options.length);
    } else if (key === "Enter" && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      if (isWaiting && box.value.trim()) {
        event.preventDefault();
        goes = true;
      } else if (!list.hidden && options[active]) {
        event.preventDefault();
        go();
      }
    }
  });
}
