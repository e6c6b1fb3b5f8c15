// The frames of an answer's stream: `data: <json>` lines, however the network cuts them.

/** Reads frames out of the bytes of a stream; what is not JSON (a comment, say) is ignored. */
export class FrameReader {
  _decoder = new TextDecoder();
  _rest = "";

  /** The frames that are whole now that these bytes have come. */
  feed(bytes) {
    const lines = (this._rest + this._decoder.decode(bytes, { stream: true })).split("\n");
    this._rest = lines.pop();
    return lines.map(parseLine).filter((frame) => frame !== null);
  }
}

function parseLine(line) {
  if (!line.startsWith("data:")) return null;
  try {
    return JSON.parse(line.slice("data:".length));
  } catch {
    return null;
  }
}

/** Hands each frame to `take`, to the end of the body. */
export async function readFrames(body, take) {
  const frames = new FrameReader();
  const reader = body.getReader(); // Safari cannot iterate over a stream
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    frames.feed(value).forEach(take);
  }
}
