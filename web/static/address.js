// The page's address holds its columns, as parameters of /stream say them:
// /?filter.NAME=RULE&…&max_rate=… . A rule of nothing is every post.

export const PACE = "2"; // posts a second and column, unless the reader wants another
export const MOST = 12; // columns of a page
const NAME = /^[A-Za-z0-9_-]{1,64}$/; // as the gateway has it

// read returns {columns: [{name, rule}], pace, beyond}. ?q=RULE is a column without a
// name of its own. beyond is how many columns the address has that cannot be shown. What
// else is not understood is left out: an address is typed by hand.
export function read(address) {
  const query = new URL(address).searchParams;
  const columns = [];
  let beyond = 0;
  for (const [key, value] of query) {
    if (key !== "q" && !key.startsWith("filter.")) continue;
    const name = key === "q" ? named(value, columns) : key.slice(7);
    if (!NAME.test(name) || columns.length === MOST || columns.some((c) => c.name === name)) beyond++;
    else columns.push({ name, rule: value.trim() });
  }
  if (columns.length === 0) columns.push({ name: "everything", rule: "" });
  return { columns, pace: query.get("max_rate") ?? PACE, beyond };
}

// write returns the path and query for the columns. One column of everything at
// the usual pace needs no words.
export function write({ columns, pace }) {
  const query = new URLSearchParams();
  if (columns.length !== 1 || columns[0].rule !== "" || columns[0].name !== "everything") {
    for (const { name, rule } of columns) query.set("filter." + name, rule);
  }
  if (pace !== PACE) query.set("max_rate", pace);
  return "/" + (query.size === 0 ? "" : "?" + query);
}

// named makes a name for a rule that no other column has: its first words. What
// has no letters that a name may have is called "column".
export function named(rule, others, wish = "") {
  const words = (wish || rule).normalize("NFKD").replace(/\p{M}/gu, "").match(/[A-Za-z0-9_]+/g) ?? [];
  const stem = words.filter((w) => wish !== "" || !/^(OR|lang|is|has|from)$/.test(w)).slice(0, 3).join("-").slice(0, 40) || (rule === "" ? "everything" : "column");
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : stem + "-" + n;
    if (!others.some((c) => c.name === name)) return name;
  }
}
