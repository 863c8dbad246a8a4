// What is kept for the reader: their choices, in the browser's storage, and words,
// in the clipboard.

export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // storage is switched off: the choice lasts as long as the page
  }
}

// copy puts words into the clipboard. Where that is not allowed it calls show for
// an element that says them, and selects it for the reader's own copy. It
// resolves with what it has done, in a word.
export async function copy(words, show) {
  try {
    await navigator.clipboard.writeText(words);
    return "Copied";
  } catch {
    getSelection().selectAllChildren(show());
    return "Selected";
  }
}
