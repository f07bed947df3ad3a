// Says at once which chosen files are too large or too many, before they travel over a slow line. The server decides.
export function weighFiles() {
  for (const input of document.querySelectorAll("input[type=file][data-most-size]")) {
    const note = document.createElement("p");
    note.className = "small tone-late";
    note.setAttribute("role", "status");
    input.after(note);
    input.addEventListener("change", () => {
      const chosen = [...input.files];
      const said = chosen
        .filter((file) => file.size > Number(input.dataset.mostSize))
        .map((file) => input.dataset.textLarge.replace("{name}", () => `\u2068${file.name}\u2069`));
      if (chosen.length > Number(input.dataset.mostFiles)) said.push(input.dataset.textMany);
      note.textContent = said.join(" ");
    });
  }
}
