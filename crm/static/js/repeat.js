// "Add another": copies the last row of [data-repeat="prefix"] and renumbers prefix-N. Without a script the
// same button submits and the server sends one more blank row.
function addRow(list, isAsked) {
  const rows = list.querySelectorAll("[data-repeat-row]");
  const last = rows[rows.length - 1];
  if (!last) return;
  const prefix = list.dataset.repeat;
  const row = last.cloneNode(true);
  const pattern = new RegExp(`(^|[\\s#])${prefix.replace(/[^\w-]/g, "\\$&")}-(\\d+)`, "g");
  const next = (text) => text.replace(pattern, (_, before, number) => `${before}${prefix}-${Number(number) + 1}`);
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const name of ["id", "name", "for", "aria-describedby", "aria-labelledby"]) {
      if (element.hasAttribute(name)) element.setAttribute(name, next(element.getAttribute(name)));
    }
    element.classList.remove("has-error");
    element.removeAttribute("aria-invalid");
  }
  row.querySelectorAll(".field-error").forEach((error) => error.remove());
  for (const field of row.querySelectorAll("input, textarea")) {
    if (["checkbox", "radio"].includes(field.type)) field.checked = field.defaultChecked = false;
    else if (field.type !== "submit") { field.value = ""; field.defaultValue = ""; }
  }
  for (const number of row.querySelectorAll("[data-repeat-number]")) number.textContent = rows.length + 1;
  last.after(row);
  if (isAsked) row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}

export function repeatRows() {
  for (const list of document.querySelectorAll("[data-repeat]")) {
    list.addEventListener("repeat:add", () => addRow(list, false));
    const button = list.querySelector("[data-repeat-add]");
    if (!button) continue;
    button.addEventListener("click", (event) => {
      event.preventDefault();
      addRow(list, true);
    });
  }
}
