// Background work on a page: its bar and words are asked for again until the work is over, then the page itself.
const EVERY = 2000;

export function followWork() {
  for (const box of document.querySelectorAll("[data-progress]")) follow(box);
}

function follow(box) {
  const bar = box.querySelector("progress");
  const say = (name, text) => {
    const place = box.querySelector(`[data-progress-${name}]`);
    if (!place) return;
    if (place.textContent !== text) place.textContent = text; // a reader is told what changed, once
    place.hidden = !text;
  };
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      const work = answer.ok && !answer.redirected ? await answer.json() : { is_over: true };
      if (work.is_over) {
        clearInterval(timer);
        location.reload();
        return;
      }
      bar.value = work.percent;
      say("state", work.state);
      say("text", work.text);
      say("note", work.note);
    } catch {
      // A bad line: the next look will do, and the page has its own way to refresh.
    }
  };
  const timer = setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
