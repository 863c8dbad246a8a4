// Who draws when: one list each frame. Two that are drawn in the same one hold up
// scrolling and typing twice as long.

const waiting = [];

// turn calls draw in the next frame that is free.
export function turn(draw) {
  waiting.push(draw);
  if (waiting.length === 1) requestAnimationFrame(next);
}

function next() {
  const draw = waiting.shift();
  if (waiting.length > 0) requestAnimationFrame(next);
  draw();
}
