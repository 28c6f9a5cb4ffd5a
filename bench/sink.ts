/** A provider that takes everything: a process of its own on loopback that answers 202 to each POST. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

let received = 0;
const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.end(String(received));
    return;
  }
  request.resume();
  request.on("end", () => {
    received += 1;
    response.writeHead(202, { "X-Message-Id": `sink-${String(received)}` }).end();
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => process.exit(0));
