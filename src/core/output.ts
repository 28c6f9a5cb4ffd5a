/** What the process writes for its reader: what can't be written is dropped, and the work goes on. */

/** Stream → why something that went to it is lost. */
const lost = new Map<NodeJS.WritableStream, Error>();

/** Writes to a stream that may have lost its reader, its disk or its terminal (EPIPE, ENOSPC, EIO, EAGAIN). Never throws. */
export function writeOrDrop(stream: NodeJS.WritableStream, text: string): void {
  try {
    stream.write(text);
  } catch (error) {
    // Where the stream writes at once, it throws instead of telling.
    remember(stream, error);
  }
}

/** From now on no error of these streams ends the process. */
export function outliveErrors(...streams: NodeJS.WritableStream[]): void {
  for (const stream of streams) stream.on("error", (error: unknown) => remember(stream, error));
}

/** Why something that went to the stream is lost; null if nothing is. A reader that has seen enough (EPIPE) has lost nothing. */
export function lossOf(stream: NodeJS.WritableStream): Error | null {
  return lost.get(stream) ?? null;
}

function remember(stream: NodeJS.WritableStream, error: unknown): void {
  const reason = error instanceof Error ? error : new Error(String(error));
  if (!("code" in reason && reason.code === "EPIPE") && !lost.has(stream)) lost.set(stream, reason);
}
