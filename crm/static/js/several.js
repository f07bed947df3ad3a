// Several rows of a list: "tick every row of this page", how many are ticked, and the bar that stays in sight while any is.
export function tickSeveral() {
  const bar = document.querySelector("form.several"); // a heading may bear the same id
  if (!bar) return;
  const boxes = [...document.querySelectorAll('input.pick[form="several"]')];
  const all = bar.querySelector("[data-several-all]");
  const everything = bar.querySelector("[name=all]");
  const count = bar.querySelector("[data-several-count]");
  const words = { none: count.textContent, every: all.textContent };
  const say = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    const text = ticked === 1 ? bar.dataset.textOne : bar.dataset.textMany.replace("{n}", ticked);
    count.textContent = ticked ? text : words.none;
    all.textContent = ticked === boxes.length ? all.dataset.textNone : words.every;
    bar.classList.toggle("is-used", ticked > 0 || Boolean(everything && everything.checked));
  };
  all.hidden = false;
  all.addEventListener("click", () => {
    const isFull = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !isFull;
    say();
  });
  for (const box of [...boxes, ...(everything ? [everything] : [])]) box.addEventListener("change", say);
  window.addEventListener("pageshow", say);
  say();
}
