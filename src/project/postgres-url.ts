/** What a connection URL says; null for what it leaves out. */
export interface PostgresUrl {
  host: string | null;
  port: number | null;
  user: string | null;
  password: string | null;
  database: string | null;
  /** False for `sslmode=disable`, true for every other mode: a certificate that isn't checked protects little. */
  ssl: boolean | null;
}

/** Reads `postgres://user:password@host:port/database?sslmode=…`; null where it is no such URL or asks for more. */
export function postgresUrl(text: string): PostgresUrl | null {
  if (!/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) return null;
  const { hostname, port, username, password, pathname, searchParams } = new URL(text);
  if ([...searchParams.keys()].some((name) => name !== "sslmode")) return null;
  const sslmode = searchParams.get("sslmode");
  try {
    const part = (written: string): string | null => (written === "" ? null : decodeURIComponent(written));
    return {
      host: part(hostname.replace(/^\[(.*)\]$/, "$1")),
      port: port === "" ? null : Number(port),
      user: part(username),
      password: part(password),
      database: part(pathname.slice(1)),
      ssl: sslmode === null ? null : sslmode !== "disable",
    };
  } catch {
    // A stray % in a password.
    return null;
  }
}
