// The code of an office is usually that of its country: where the country has one time zone, that is chosen until somebody chooses.
export function followCountry() {
  for (const select of document.querySelectorAll("select[data-follows]")) {
    let isOwn = select.value !== "";
    select.addEventListener("change", () => { isOwn = select.value !== ""; });
    document.getElementById(select.dataset.follows).addEventListener("input", (event) => {
      if (isOwn) return;
      const code = event.target.value.trim().toUpperCase();
      const only = [...select.options].find((option) => option.dataset.onlyOf === code);
      select.value = only ? only.value : "";
    });
  }
}
