/** How requests leave this machine: directly, or through the proxy that the environment names. */
import { EnvHttpProxyAgent, fetch, Pool, type Dispatcher } from "undici";
import { isLoopback } from "./loopback.js";
import { proxyIn } from "./proxies.js";

/**
 * Sends what goes to `origin`: through the proxy in HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY names the host (small letters count
 * first). What is on this machine is never asked of a proxy. The caller closes it.
 * @throws OpportuneError where a proxy is no URL; it never says what stands there, which may hold a password
 */
export function dispatcherTo(origin: string, options: Pool.Options & { connect?: { timeout: number } }, env: NodeJS.ProcessEnv = process.env): Dispatcher {
  const [httpProxy, httpsProxy] = [proxyIn(env, "http"), proxyIn(env, "https")];
  if ((httpProxy === null && httpsProxy === null) || isLoopback(new URL(origin).hostname)) return new Pool(origin, options);
  return new EnvHttpProxyAgent({
    ...options,
    // Empty means none: undici would look into the environment for what is left out.
    httpProxy: httpProxy?.href ?? "",
    httpsProxy: (httpsProxy ?? httpProxy)?.href ?? "",
    noProxy: env["no_proxy"] ?? env["NO_PROXY"] ?? "",
    ...(options.connect === undefined ? {} : { proxyTls: options.connect }),
  });
}

/**
 * Posts `body` to `url` once, within `ms`, and gives the status of the answer. A redirect is an error: headers may hold a key, and it
 * would carry it to somebody else.
 */
export async function postOnce(url: string, { headers, body, ms }: { headers: Readonly<Record<string, string>>; body: string; ms: number }): Promise<number> {
  const dispatcher = dispatcherTo(new URL(url).origin, { connect: { timeout: ms } });
  try {
    const response = await fetch(url, { method: "POST", headers, body, redirect: "error", signal: AbortSignal.timeout(ms), dispatcher });
    await response.body?.cancel();
    return response.status;
  } finally {
    await dispatcher.destroy();
  }
}
