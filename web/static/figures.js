// Numbers and times of the dashboard, in words. Nothing here touches the document.

import { clock } from "/chart.js";

export const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
export const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
export const none = "–";

// A value that was not measured is null, and none in words.
export const amount = (v) => (v === null || v === undefined ? none : v >= 100000 ? short.format(v) : v >= 100 ? whole.format(v) : plain.format(v));
// bytes is a number of bytes, in thousands.
export const bytes = (v) => {
  if (v === null || v === undefined) return none;
  const power = v < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(v) / 3));
  return plain.format(v / 1000 ** power) + " " + ["B", "kB", "MB", "GB", "TB"][power];
};
// millis is a time in ms, span one in seconds.
export const millis = (v) => {
  if (v === null || v === undefined) return none;
  if (v >= 1000) return plain.format(v / 1000) + " s";
  return (v < 10 ? Math.round(v * 100) / 100 : Math.round(v)) + " ms";
};
export const span = (seconds) => {
  const [d, h, m] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  return d > 0 ? d + " d " + h + " h" : h > 0 ? h + " h " + m + " min" : m > 0 ? m + " min" : Math.floor(seconds) + " s";
};

// moment is a time of day to the second; of another day, with its date.
export function moment(time) {
  const at = new Date(time);
  return (at.toDateString() === new Date().toDateString() ? "" : at.toLocaleDateString([], { day: "numeric", month: "short" }) + ", ") + clock(at, true);
}
