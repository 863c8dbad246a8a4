// The one connection of a browser. One tab has it, the leader, and tells all
// tabs, itself too, what comes. Each tab says which rules it wants; the leader
// asks the gateway for all of them at once, each under a name of its own.

import { Stream } from "/stream.js";

const CALM = 30; // ms in which wishes are gathered
const RULES = 32; // named rules of one stream, as the gateway has it
export const CEILING = 500; // posts a second that a browser is ready for

// Every post, as a rule beside others, which must have something that can stand
// alone: whoever posts has a number of followers. Alone it needs no rule.
const EVERYTHING = "followers_count:0";

// A Leader calls tell(message) with
//
//	{is: "state", name, facts}             as Stream says it
//	{is: "hello", hello, back, from, rules, rate}
//	                                       a stream has begun: behind the event id from ("": with a
//	                                       replay of the last minutes), for these rules, at most
//	                                       rate posts a second in all
//	{is: "post", post, rules, id}          rules: those that it matches
//	{is: "gap", gap}, {is: "upstream", upstream}, {is: "gone", what}, {is: "beat", id}
//	{is: "refused", rule, problem}         the gateway did not take the rule; the others go on
//	{is: "tabs", n}                        that want something
export class Leader {
  #tell;
  #wants = new Map(); // tab → {rules, rate, last}
  #refused = new Map(); // rule → problem
  #stream = null;
  #asked = ""; // what the stream was asked for; null: that is refused
  #id; // of the last event that any tab has had
  #hello = null; // the message of the last one
  #upstream = null;
  #state = null;
  #later = 0;
  #tabs = 0;

  constructor(tell, id) {
    this.#tell = tell;
    this.#id = id;
  }

  // want says what a tab shows: rules, its pace in posts a second (0: all) and the
  // last event that it has had. It returns whether a tab of which nothing was known
  // may have missed what was told since.
  want(tab, { rules, rate, last }) {
    const behind = !this.#wants.has(tab) && last !== "" && last !== this.#id;
    this.#wants.set(tab, { rules, rate, last });
    this.#soon();
    return behind;
  }

  // shared: more tabs than one have asked for something.
  get shared() {
    return this.#wants.size > 1;
  }

  leave(tab) {
    if (this.#wants.delete(tab)) this.#soon();
  }

  stop() {
    clearTimeout(this.#later);
    this.#stream?.stop();
    this.#stream = null;
  }

  #soon() {
    if (this.#later !== 0) return;
    this.#later = setTimeout(() => {
      this.#later = 0;
      this.#plan();
    }, this.#id === "" ? 0 : CALM); // whoever is the first has waited long enough
  }

  #plan() {
    const wants = [...this.#wants.values()].filter((w) => w.rules.length > 0);
    const wanted = [...new Set(wants.flatMap((w) => w.rules))];
    for (const rule of wanted) if (this.#refused.has(rule)) this.#tell({ is: "refused", rule, problem: this.#refused.get(rule) });
    const good = wanted.filter((rule) => !this.#refused.has(rule));
    for (const rule of good.slice(RULES)) this.#tell({ is: "refused", rule, problem: { detail: "the tabs of this browser show " + RULES + " other filters already, and one connection takes no more" } });
    const rules = good.slice(0, RULES);
    if (wants.length !== this.#tabs) this.#tell({ is: "tabs", n: (this.#tabs = wants.length) });

    const rates = new Set(wants.map((w) => w.rate));
    const rate = rules.length === 1 && rates.size === 1 && wants[0].rate > 0 ? wants[0].rate : CEILING;
    const asked = rules.length === 0 ? "" : JSON.stringify([rules.toSorted(), rate]);
    if (asked === this.#asked) return this.#again();
    this.#asked = asked;
    const idle = this.#stream === null;
    this.#stream?.stop();
    this.#stream = null;
    if (asked === "") {
      this.#state = this.#hello = this.#upstream = null; // nothing to tell to who comes later
      return;
    }
    if (idle) this.#id = wants.map((w) => w.last).find((id) => id !== "") ?? ""; // who rested alone goes on where they were
    this.#begin(rules, rate);
  }

  // again tells a tab that came later how things are.
  #again() {
    const hello = this.#hello && { ...this.#hello, from: "?", back: false, id: this.#id };
    for (const message of [this.#state, hello, this.#upstream]) if (message) this.#tell(message);
  }

  #begin(rules, rate) {
    const query = new URLSearchParams();
    const names = new Map(rules.map((rule, i) => ["c" + (i + 1), rule]));
    const everything = rules.length === 1 && rules[0] === "";
    if (!everything) for (const [name, rule] of names) query.set("filter." + name, rule || EVERYTHING);
    query.set("max_rate", rate);
    const from = this.#id;
    const stream = new Stream(query, from, rules.includes("") ? "30s" : "5m", {
      state: (name, facts) => this.#tell((this.#state = { is: "state", name, facts })),
      hello: (hello, back, id) => {
        this.#id = id;
        this.#state = null; // hello says more
        this.#tell((this.#hello = { is: "hello", hello, back, from, rules, rate, id }));
      },
      post: (post, matched, id) => {
        this.#id = id;
        this.#tell({ is: "post", post, id, rules: everything ? rules : matched.map((name) => names.get(name)).filter((rule) => rule !== undefined) });
      },
      gap: (gap) => this.#tell({ is: "gap", gap }),
      upstream: (u) => this.#tell((this.#upstream = { is: "upstream", upstream: u })),
      gone: (what) => this.#tell({ is: "gone", what }),
      beat: (id) => this.#tell({ is: "beat", id: (this.#id = id) }),
      refused: (problem) => this.#refuse(problem, names.get(problem.param?.replace("filter.", ""))),
    });
    this.#stream = stream;
    this.#hello = null;
    this.#tell((this.#state = { is: "state", name: "connecting", facts: {} }));
    stream.start();
  }

  // One bad rule must not silence the others.
  #refuse(problem, rule) {
    if (rule === undefined) {
      this.#tell((this.#state = { is: "state", name: "denied", facts: { detail: problem.detail } }));
      return;
    }
    this.#refused.set(rule, problem);
    this.#asked = null; // the stream is over, and what is left is asked for anew
    this.#plan();
  }
}
