// The page by keyboard. Single keys act outside of fields, and can be switched off
// (WCAG 2.1.4).

import { keep, recall } from "/keep.js";

// keyboard lets single keys act: acts are functions by key, of small letters, with
// "Shift+" before it where that is held. box is the checkbox that switches them off; out
// is called at the way out of a list, with 1 for what is behind it, -1 for what is before.
export function keyboard(acts, box, out) {
  box.checked = recall("keys") !== "off";
  box.addEventListener("change", () => keep("keys", box.checked ? "on" : "off"));
  addEventListener("keydown", (e) => {
    const typing = e.target.closest?.("input, select, textarea");
    const inside = e.target.closest?.(".feed");
    if (e.key === "Escape" && inside) e.target.blur();
    if (e.ctrlKey && inside && (e.key === "End" || e.key === "Home")) {
      e.preventDefault(); // the feed pattern's way out of a list that has no end
      out(e.key === "End" ? 1 : -1);
    }
    if (typing || e.ctrlKey || e.altKey || e.metaKey || !box.checked) return;
    const act = acts[(e.shiftKey ? "Shift+" : "") + e.key.toLowerCase()];
    if (!act) return;
    e.preventDefault();
    act();
  });
}
