// Filters of a list are folded on a phone only. Style opens them where there is room; browsers whose style cannot are helped here.
export function openFilters() {
  if (CSS.supports("selector(::details-content)")) return;
  if (!window.matchMedia("(min-width: 48rem)").matches) return;
  for (const fold of document.querySelectorAll("details[data-filters]")) fold.open = true;
}
