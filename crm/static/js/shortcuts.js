// "/" and Ctrl-K find, "n m" new meeting, "g" and a letter goes. By the key's place (code), so that they work in
// Arabic and Russian layouts. <html data-shortcuts="off"> turns the single keys off (WCAG 2.1.4); Ctrl-K stays, as the account page says.
const PLACES = {
  KeyH: "home", KeyP: "parties", KeyI: "interactions", KeyC: "commitments", KeyL: "pledges",
  KeyA: "asks", KeyO: "objectives", KeyR: "programmes", KeyV: "voices", KeyD: "documents",
};
const PATIENCE = 1500;

const isTyping = (target) => target.isContentEditable
  || (target.matches("input, textarea, select") && !["checkbox", "radio", "button", "submit"].includes(target.type));

export function listenForKeys() {
  const hasSingleKeys = document.documentElement.dataset.shortcuts !== "off";
  const find = document.querySelector("[data-find]");
  let first = "";
  let since = 0;
  const focusFind = (event) => {
    if (!find) return;
    event.preventDefault();
    find.focus();
    find.select();
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.code === "KeyK") {
      focusFind(event);
      return;
    }
    if (!hasSingleKeys || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/" || (event.code === "Slash" && !event.shiftKey)) {
      focusFind(event);
      return;
    }
    const before = Date.now() - since < PATIENCE ? first : "";
    first = event.code;
    since = Date.now();
    let link = null;
    if (before === "KeyG") link = document.querySelector(`a[data-nav="${PLACES[event.code]}"]`);
    if (before === "KeyN" && event.code === "KeyM") link = document.querySelector("a[data-log]");
    if (link) {
      event.preventDefault();
      first = "";
      link.click();
    }
  });
}
