// The error summary takes the focus when the page arrives; its links put the cursor into the field.
export function focusErrors() {
  const summary = document.querySelector("[data-error-summary]");
  if (!summary) return;
  summary.focus();
  summary.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    const group = field.closest("fieldset, .field");
    (group || field).scrollIntoView({ block: "start" });
    field.focus({ preventScroll: true });
  });
}
