// Says at once which chosen files are too large or too many, before they travel over a slow line. The server decides.
export function weighFiles() {
  for (const input of document.querySelectorAll("input[type=file][data-most-size]")) {
    const note = document.createElement("p");
    note.className = "small tone-late";
    note.setAttribute("role", "status");
    input.after(note);
    const suggest = watchEvidence(input.form.querySelector("[data-usual]"));
    input.addEventListener("change", () => {
      const chosen = [...input.files];
      const said = chosen
        .filter((file) => file.size > Number(input.dataset.mostSize))
        .map((file) => input.dataset.textLarge.replace("{name}", () => `\u2068${file.name}\u2069`));
      if (chosen.length > Number(input.dataset.mostFiles)) said.push(input.dataset.textMany);
      note.textContent = said.join(" ");
      suggest(chosen);
    });
  }
}

// What PDF and Word files usually show is chosen for them; of a picture the person says it, before the file travels.
function watchEvidence(select) {
  if (!select) return () => {};
  const written = select.dataset.written.split(" ");
  let isChosen = select.value !== "";
  select.addEventListener("change", () => {
    isChosen = select.value !== "";
    select.setCustomValidity("");
  });
  select.form.addEventListener("submit", (event) => {
    if (select.value || !select.form.querySelector("input[type=file]").files.length) return;
    event.preventDefault();
    select.setCustomValidity(select.dataset.textOpen);
    select.reportValidity();
  });
  return (chosen) => {
    if (isChosen) return;
    const isWritten = chosen.length > 0 && chosen.every((file) => written.includes(file.name.split(".").pop().toLowerCase()));
    select.value = isWritten ? select.dataset.usual : "";
    select.setCustomValidity("");
  };
}
