/**
 * A provider that takes everything, as bare as can be: a process of its own on loopback that reads just enough of HTTP/1.1 to know
 * where a request ends, and answers 202. Its parent sends `{ latencyMs }` to delay answers from then on, `"received"` to be told how
 * many requests there were.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

let latencyMs = 0;
let received = 0;

const server = createServer((socket) => {
  socket.setNoDelay(true);
  // A client that goes away mid-request has nothing to be told.
  socket.on("error", () => socket.destroy());
  let head = "";
  let bodyLeft = 0;
  socket.on("data", (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (bodyLeft === 0) {
        const end = head === "" ? chunk.indexOf(HEAD_END, at) : -1;
        if (end >= 0) {
          bodyLeft = bodyLength(chunk.toString("latin1", at, end));
          at = end + HEAD_END.length;
        } else {
          // Rare: a head in several chunks.
          head += chunk.toString("latin1", at);
          const whole = head.indexOf(HEAD_END);
          if (whole < 0) return;
          bodyLeft = bodyLength(head.slice(0, whole));
          at = chunk.length - (head.length - whole - HEAD_END.length);
          head = "";
        }
      }
      const taken = Math.min(bodyLeft, chunk.length - at);
      bodyLeft -= taken;
      at += taken;
      if (bodyLeft === 0) answer(socket);
    }
  });
});

function bodyLength(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}

function answer(socket: Socket): void {
  received += 1;
  const text = `HTTP/1.1 202 Accepted\r\nX-Message-Id: sink-${String(received)}\r\nContent-Length: 0\r\n\r\n`;
  if (latencyMs === 0) socket.write(text, "latin1");
  else setTimeout(() => socket.write(text, "latin1"), latencyMs);
}

process.on("message", (message: "received" | { latencyMs: number }) => {
  if (message === "received") process.send?.(received);
  else latencyMs = message.latencyMs;
});
process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
