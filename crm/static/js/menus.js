// <details class="menu"> opens without a script; with one, Escape and a press elsewhere close it.
export function openSheets() {
  const close = (menu) => { menu.open = false; };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      const isInside = menu.contains(document.activeElement);
      close(menu);
      if (isInside) menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) close(menu);
  });
  for (const menu of document.querySelectorAll("details.menu")) {
    menu.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !menu.contains(event.relatedTarget)) close(menu);
    });
  }
  // "Find" in the bottom bar is a link to the search page; with a script it puts the cursor into the box above
  for (const link of document.querySelectorAll("[data-find-link]")) {
    link.addEventListener("click", (event) => {
      const box = document.querySelector("[data-find]");
      if (!box) return;
      event.preventDefault();
      box.focus();
      box.select();
    });
  }
}
