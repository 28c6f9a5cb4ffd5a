/** An HTTP proxy on this machine, which knows every host by one address. */
import { createServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Proxy {
  /** `127.0.0.1:PORT`. */
  address: string;
  /** What it was asked to reach, in order: `api.sendgrid.com:443`, and the sign-in that came with it, if any. */
  asked: { host: string; signIn: string | null }[];
}

/** Tunnels whatever host is asked for to `port` of this machine; without a port it refuses all, with 403. Closed after the test. */
export async function startProxy(port: number | null): Promise<Proxy> {
  const asked: Proxy["asked"] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(501).end());
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("connect", (request: IncomingMessage, client: Socket, head: Buffer) => {
    const header = request.headers["proxy-authorization"] ?? null;
    asked.push({ host: request.url ?? "", signIn: header === null ? null : Buffer.from(header.replace("Basic ", ""), "base64").toString() });
    client.on("error", () => undefined);
    if (port === null) {
      client.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const upstream = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}
