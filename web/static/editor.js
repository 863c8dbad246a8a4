// The form in which a column's rule is written. The gateway is asked about it
// while it is written, and again before the column takes it: a typing error costs
// the reader nothing, the old rule goes on.

import { make } from "/card.js";
import { Check, ask, explained } from "/check.js";

// An Editor lives in a form of the template. It calls on.taken({rule, name}) with
// what the gateway understands, and on.cancelled().
export class Editor {
  #form;
  #on;
  #check = new Check((said) => this.#checked(said));
  #turn = 0; // only the last submission counts

  constructor(form, on) {
    this.#form = form;
    this.#on = on;
    const { rule } = form.elements;
    rule.addEventListener("input", () => {
      if (!this.#problem.hidden) this.problem(null);
      this.#check.about(this.#filter());
    });
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      this.#submit();
    });
    form.querySelector(".cancel").addEventListener("click", () => this.#on.cancelled());
    form.addEventListener("keydown", (e) => e.key === "Escape" && this.#on.cancelled());
  }

  open({ rule, name }, focus) {
    this.#form.hidden = false;
    this.#form.elements.rule.value = rule;
    this.#form.elements.name.value = name;
    this.#checked({});
    this.problem(null);
    if (focus) this.#form.elements.rule.focus();
  }

  close() {
    this.#turn++;
    this.#check.stop();
    this.#form.hidden = true;
  }

  // problem shows why the gateway did not take the rule, until the reader writes on. It
  // interrupts the reader, who has asked for it.
  problem(p) {
    this.#problem.replaceChildren(...explained(p && at(p), this.#fields()));
    this.#problem.hidden = !p;
  }

  get #problem() {
    return this.#form.querySelector(".problem[role=alert]");
  }

  #fields() {
    return { q: this.#form.elements.rule };
  }

  #filter() {
    const rule = this.#form.elements.rule.value.trim();
    return new URLSearchParams(rule === "" ? {} : { q: rule });
  }

  async #submit() {
    const turn = ++this.#turn;
    const filter = this.#filter();
    this.#check.stop();
    this.#checked({});
    this.problem(null);
    const { problem } = filter.size === 0 ? {} : await ask(filter);
    if (turn !== this.#turn) return;
    if (problem) this.problem(problem);
    else this.#on.taken({ rule: filter.get("q") ?? "", name: this.#form.elements.name.value.trim() });
  }

  // checked says what the gateway makes of what stands in the form; politely, for
  // the reader is still writing.
  #checked({ understood, problem }) {
    const parts = explained(problem, this.#fields());
    if (parts.length > 0) parts.splice(0, parts.length, make("div", "problem", ...parts));
    if (understood) {
      const filter = make("code", "", understood.filter);
      filter.dir = "auto";
      parts.push(make("p", "", "Understood as ", filter), ...understood.warnings.map((words) => make("p", "", words)));
    }
    this.#form.querySelector(".checked").replaceChildren(...parts);
  }
}

// at brings a problem of a rule that had another name on the wire to this form.
const at = (p) => (p.param?.startsWith("filter.") ? { ...p, param: "q" } : p);
