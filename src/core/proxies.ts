/** The proxies that the environment names. Apart from outgoing.ts, as that loads undici. */
import { OpportuneError } from "./errors.js";

/** The names of the variables, in the order in which they count. */
const PROXIES = { https: ["https_proxy", "HTTPS_PROXY"], http: ["http_proxy", "HTTP_PROXY"] } as const;

/** Of every proxy in the environment, its password, and user and password as they stand in the URL: nobody may be shown them. */
export function proxySecrets(env: NodeJS.ProcessEnv = process.env): string[] {
  return Object.values(PROXIES)
    .flat()
    .flatMap((name) => {
      const [, signIn] = /^(?:[\w+.-]+:\/\/)?([^/]*)@/.exec(env[name] ?? "") ?? [];
      return signIn === undefined ? [] : [signIn, signIn.slice(signIn.indexOf(":") + 1)];
    });
}

/** The proxy for requests of that kind; null: none is named. @throws OpportuneError where it is no URL */
export function proxyIn(env: NodeJS.ProcessEnv, kind: keyof typeof PROXIES): URL | null {
  const name = PROXIES[kind].find((each) => (env[each] ?? "").trim() !== "");
  if (name === undefined) return null;
  const written = (env[name] ?? "").trim();
  const url = written.includes("://") ? written : `http://${written}`;
  if (/^(?:https?|socks5?):/.test(url) && URL.canParse(url)) return new URL(url);
  throw new OpportuneError({
    code: "proxy/url",
    message: `The variable ${name} is not the URL of a proxy.`,
    hint: "Write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with signs such as @ and / percent-encoded.",
  });
}
