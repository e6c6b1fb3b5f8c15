// The answer's stream, read precisely as Opik's own panel reads it, frailties included: what
// works here works there.

/**
 * The frames in the bytes of one network read. Each read stands for itself; of a line, what is
 * between its first `data:` and the next is taken; what is not JSON is dropped.
 */
export function framesOf(bytes) {
  const frames = [];
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    if (line.trim() === "") continue;
    try {
      frames.push(JSON.parse(line.split("data:")[1]));
    } catch {
      continue;
    }
  }
  return frames;
}

/** Hands each frame to `take`, to the end of the body or to the first frame with an error. */
export async function readFrames(body, take) {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const frame of framesOf(value)) {
      take(frame);
      if (frame?.error) {
        await reader.cancel();
        return;
      }
    }
  }
}
