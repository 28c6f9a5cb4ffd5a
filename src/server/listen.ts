import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { OpportuneError } from "../core/errors.js";

/** Starts to listen and gives the base URL, e.g. `http://127.0.0.1:4010`. Port 0: any free one. @throws OpportuneError with `code` where it can't */
export async function listen(server: Server, { host, port, code }: { host: string; port: number; code: string }): Promise<string> {
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new OpportuneError(
          {
            code,
            message: `Can't listen on ${host}:${String(port)} (${"code" in error ? String(error.code) : error.message}).`,
            hint: "Another process may have the port: choose another --port, or 0 for any that is free.",
          },
          1,
          error,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${String(address.port)}`;
}

/** Cuts every connection and frees the port. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
