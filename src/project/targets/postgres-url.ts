/** Connection URLs of Postgres, as hosts show them. */
import { didYouMean, nearestName } from "../../core/suggest.js";

/** What a connection URL says; null for what it leaves out. */
export interface PostgresUrl {
  host: string | null;
  port: number | null;
  user: string | null;
  password: string | null;
  database: string | null;
  /** False: without TLS. `ca`: a PEM file, null for the system's authorities. */
  ssl: false | { ca: string | null; rejectUnauthorized: boolean } | null;
  /** The server's command-line options, as `-c name=value`; of some hosts, which database is meant. */
  options: string | null;
  /** Whether signing in is to be bound to the TLS connection. */
  channelBinding: boolean;
  /** The schema in which names are looked up (`schema`, which Prisma writes). */
  schema: string | null;
}

/** Why a URL can't be used: what follows "the URL", and the way out. Neither quotes anything that may be secret. */
export interface UnfitUrl {
  problem: string;
  hint: string;
}

/** What has its own key of the target, or another spelling within the URL. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  application_name: "write application_name: under the target, and leave the parameter out",
  statement_timeout: "write statement_timeout: under the target, and leave the parameter out",
  search_path: "write search_path: under the target, and leave the parameter out",
  sslcert: "leave it out, and sign in with a password: client certificates are not supported",
  sslkey: "leave it out, and sign in with a password: client certificates are not supported",
  sslnegotiation: "leave it out: the server is asked for TLS first",
};

/** What changes neither what is reached nor how: of clients that keep pools, wait otherwise or prepare statements. */
const WITHOUT_MEANING = new Set(
  `client_encoding connect_timeout connection_limit fallback_application_name gssencmode keepalives keepalives_count keepalives_idle
  keepalives_interval max_conns pool_timeout prepared_statements schema_cache socket_timeout statement_cache_size supa sslaccept tcp_user_timeout
  uselibpqcompat workaround`.split(/\s+/),
);

const WITH_MEANING = [
  "sslmode",
  "sslrootcert",
  "ssl",
  "channel_binding",
  "options",
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "schema",
  "pgbouncer",
  "target_session_attrs",
];

const SHAPE = "write postgres://user:password@host:5432/database";

/** Reads `postgres://user:password@host:port/database?parameters`, as libpq and the hosts' own pages have it. */
export function postgresUrl(written: string): PostgresUrl | UnfitUrl {
  const text = written.trim();
  const scheme = /^["']?([a-z][\w+.:-]*?):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (/^["']/.test(text)) return { problem: "begins with a quote", hint: "leave the quotes around it out" };
  if (scheme === undefined) return { problem: "is not a URL of Postgres", hint: SHAPE };
  if (scheme !== "postgres" && scheme !== "postgresql") {
    const hint = /postg/.test(scheme) ? `begin it with postgres:// in place of ${scheme}://` : SHAPE;
    return { problem: `begins with ${scheme}://, not with postgres://`, hint };
  }
  if (/\[YOUR-PASSWORD\]|<password>/i.test(text)) return { problem: "holds the place for a password, not the password", hint: "put the password there" };

  const rest = text.slice(text.indexOf("//") + 2);
  const sign = rest.lastIndexOf("@");
  const [signIn, where] = [rest.slice(0, Math.max(sign, 0)), rest.slice(sign + 1)];
  const raw = /[/?#]/.exec(signIn)?.[0];
  if (raw !== undefined)
    return {
      problem: `has a ${raw} before its last @`,
      hint: `within a user or password write ${encodeURIComponent(raw)} for ${raw}, and %40 for @ in parameters`,
    };
  const parts = /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#.*)?$/.exec(where);
  const [, authority = "", path = "", query = "", fragment] = parts ?? [];
  if (fragment !== undefined) return { problem: "holds a #, where nothing may follow", hint: "write %23 for # within a name or a value" };
  if (authority.includes(",")) return { problem: "names several hosts", hint: "name the primary's alone" };
  const place = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(authority);
  if (place === null) return { problem: "has no host and port that can be read", hint: `${SHAPE}; an IPv6 address in brackets: [::1]` };

  const colon = signIn.indexOf(":");
  const parameters = new URLSearchParams(query);
  const refused = checkParameters(parameters);
  if (refused !== null) return refused;
  try {
    const part = (encoded: string | null | undefined): string | null =>
      encoded === null || encoded === undefined || encoded === "" ? null : decodeURIComponent(encoded);
    const port = (place[2] ?? "") === "" ? parameters.get("port") : (place[2] ?? "");
    if (port !== null && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
      return { problem: "has a port that is not from 1 to 65535", hint: SHAPE };
    return {
      host: part(place[1]?.replace(/^\[(.*)\]$/, "$1")) ?? parameters.get("host"),
      port: port === null ? null : Number(port),
      user: part(colon === -1 ? signIn : signIn.slice(0, colon)) ?? parameters.get("user"),
      password: part(colon === -1 ? null : signIn.slice(colon + 1)) ?? parameters.get("password"),
      database: part(path) ?? parameters.get("dbname"),
      ssl: tlsOf(parameters),
      options: parameters.get("options"),
      channelBinding: parameters.get("channel_binding") === "require",
      schema: parameters.get("schema"),
    };
  } catch {
    return { problem: "holds a % that begins no encoded character", hint: "write %25 for % within a user, password or name" };
  }
}

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"];

function checkParameters(parameters: URLSearchParams): UnfitUrl | null {
  for (const [name, value] of parameters) {
    const own = ELSEWHERE[name];
    if (own !== undefined) return { problem: `has the parameter ${name}`, hint: own };
    if (!WITH_MEANING.includes(name) && !WITHOUT_MEANING.has(name)) {
      const shown = /^[\w-]{1,40}$/.test(name) ? name : "that can't be read";
      return { problem: `has a parameter ${shown}, which is not known`, hint: didYouMean(nearestName(name, WITH_MEANING)) ?? "leave it out" };
    }
    if (name === "pgbouncer" && value === "true") {
      const hint = "take the URL of the database itself, or of the pooler in session mode: often port 5432 in place of 6543, or the host without -pooler";
      return { problem: "says pgbouncer=true, a pooler in transaction mode; a run needs one session", hint };
    }
    if (name === "sslmode" && !SSL_MODES.includes(value)) {
      return { problem: "has an sslmode that is not known", hint: `write one of ${SSL_MODES.join(", ")}` };
    }
    if (name === "target_session_attrs" && !["any", "read-write", "primary"].includes(value)) {
      return { problem: "asks for a server that can't be written to", hint: "leave target_session_attrs out, and name the primary" };
    }
  }
  return null;
}

/**
 * Null where nothing is asked for: TLS then depends on where the server is. A certificate that isn't checked protects little, so
 * that `require` checks it too, but where the URL says otherwise.
 */
function tlsOf(parameters: URLSearchParams): PostgresUrl["ssl"] {
  const mode = parameters.get("sslmode");
  const ssl = parameters.get("ssl");
  const root = parameters.get("sslrootcert");
  const checked = { ca: root === null || root === "system" ? null : root, rejectUnauthorized: true };
  if (mode === "disable" || (mode === null && (ssl === "false" || ssl === "0"))) return false;
  if (mode === "no-verify" || ssl === "no-verify" || (mode === "require" && parameters.get("uselibpqcompat") === "true")) {
    return { ca: null, rejectUnauthorized: false };
  }
  if (mode === null || mode === "prefer" || mode === "allow") return ssl === null && root === null ? null : checked;
  return checked;
}
