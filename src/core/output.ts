/** What the process writes to whoever watches it: lines that can't be written are dropped, and the work goes on. */

/** Writes to a stream that may have lost its reader, its disk or its terminal (EPIPE, ENOSPC, EIO, EAGAIN). Never throws. */
export function writeOrDrop(stream: NodeJS.WritableStream, text: string): void {
  try {
    stream.write(text);
  } catch {
    // Where the stream writes at once, it throws instead of telling.
  }
}

/** From now on no error of these streams ends the process. */
export function outliveErrors(...streams: NodeJS.WritableStream[]): void {
  for (const stream of streams) stream.on("error", () => undefined);
}
