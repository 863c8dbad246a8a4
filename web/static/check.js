// What the gateway makes of a filter that is being written. It is asked when the
// keys have been quiet for a moment, and only the last question counts.

import { make } from "/card.js";
import { mark } from "/words.js";

const CALM = 300; // ms

// A Check calls say with {understood}, the gateway's account of the filter, with
// {problem}, what it does not like, or with {} when there is nothing to say.
export class Check {
  #say;
  #later = 0;
  #asking = null;

  constructor(say) {
    this.#say = say;
  }

  // about asks about a filter, as parameters of /stream.
  about(filter) {
    this.stop();
    if (filter.size === 0) this.#say({});
    else this.#later = setTimeout(() => this.#ask(filter), CALM);
  }

  // stop forgets what was asked.
  stop() {
    clearTimeout(this.#later);
    this.#asking?.abort();
    this.#asking = null;
  }

  async #ask(filter) {
    const mine = new AbortController();
    this.#asking = mine;
    const said = await ask(filter, mine.signal);
    if (mine === this.#asking) this.#say(said);
  }
}

// ask asks now. It resolves with {} when there is no answer, or one that is not the
// gateway's: the connection says more about that.
export async function ask(filter, signal) {
  try {
    const answer = await fetch("/filters/check?" + filter, { signal });
    if (answer.ok) return { understood: await answer.json() };
    if (answer.status >= 400 && answer.status < 500) return { problem: await answer.json() };
  } catch {
    // as above
  }
  return {};
}

// explained is what is wrong, in the gateway's own words, with the place and the
// nearest right word, and nothing for null. It marks the field that is wrong:
// fields are the form's, by the parameter that each is.
export function explained(p, fields) {
  for (const [name, field] of Object.entries(fields)) {
    if (p?.param === name) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  const parts = p ? [make("span", "", p.detail)] : [];
  const cut = p && fields[p.param] ? mark(fields[p.param].value.trim(), p.position, p.param) : null;
  if (cut) {
    const shown = make("code", "cut", cut[0], make("mark", "", cut[1]), cut[2]);
    shown.dir = "auto";
    parts.push(shown);
  }
  if (p?.nearest && !p.detail.includes(p.nearest)) parts.push(make("span", "", "Did you mean ", make("code", "", p.nearest), "?"));
  return parts;
}
