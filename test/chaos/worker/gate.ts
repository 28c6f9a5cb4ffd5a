/** Stands between the run and its drivers, in a process of its own: the run's code knows nothing of it. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Order } from "./messages.js";
import { Labels } from "./statements.js";

interface Strike {
  /** Called once the driver has handed the statement on. */
  underWay(): void;
}

let labels = new Labels();
let orders: { order: Order; seen: number }[] = [];
let report: (label: string) => Promise<void> = () => Promise.resolve();
const underWay = new AsyncLocalStorage<Strike>();

/** Begins anew: the next statement is the first. */
export function arm(next: readonly Order[], onReached: typeof report): void {
  labels = new Labels();
  orders = next.map((order) => ({ order, seen: 0 }));
  report = onReached;
}

export function statementsSeen(): string[] {
  return labels.all;
}

function kill(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable: the process was killed");
}

/** The order that is about this statement. */
function orderFor(sql: string): (Order & { reached: string }) | null {
  const label = labels.next(sql);
  const mine = orders.filter((entry) => {
    if (entry.order.label !== null && entry.order.label !== label) return false;
    entry.seen += 1;
    return entry.seen === entry.order.nth;
  })[0];
  return mine === undefined ? null : { ...mine.order, reached: label };
}

/** Runs a statement, with what is to befall it. `interrupt` is the connection's own way to cancel. */
async function pass<T>(sql: string, run: () => Promise<T>, interrupt: () => void): Promise<T> {
  const mine = orderFor(sql);
  if (mine === null) return run();
  const { phase, act, spinMs = 0 } = mine;
  const strike = async (): Promise<void> => {
    if (act === "kill") kill();
    if (act === "interrupt") interrupt();
    if (act === "report") await report(mine.reached);
  };
  if (phase === "before") {
    await strike();
    return run();
  }
  if (phase === "after") {
    const result = await run();
    await strike();
    return result;
  }
  const struck: Promise<void>[] = [];
  const once = (): void => {
    if (struck.length > 0) return;
    // The warehouse works on, in threads or a process of its own.
    for (const until = performance.now() + spinMs; performance.now() < until;) continue;
    struck.push(strike());
  };
  const result = underWay.run({ underWay: once }, run);
  // pg has written to its socket by now; DuckDB has the statement still to prepare, and strikes when it runs it.
  if (interrupt === noInterrupt) once();
  await result.catch(() => undefined);
  // Struck when it is over, at the latest.
  once();
  await struck[0];
  return result;
}

const noInterrupt = (): void => undefined;

/** Wraps the driver of the one warehouse that this process is for: loading another would only take time. */
export async function install(kind: "duckdb" | "postgres"): Promise<void> {
  if (kind === "duckdb") await wrapDuckDb();
  else await wrapPostgres();
}

async function wrapPostgres(): Promise<void> {
  const { default: pg } = await import("pg");
  wrap(pg.Client.prototype, "query", (client, original, args) => {
    const [asked] = args;
    const sql = typeof asked === "string" ? asked : (asked as { text: string }).text;
    return pass(sql, () => Reflect.apply(original, client, args) as Promise<unknown>, noInterrupt);
  });
}

async function wrapDuckDb(): Promise<void> {
  const { DuckDBAppender, DuckDBConnection, DuckDBPreparedStatement } = await import("@duckdb/node-api");
  for (const method of ["run", "stream"] as const)
    wrap(DuckDBConnection.prototype, method, (connection, original, args) =>
      pass(
        String(args[0]),
        () => {
          const result = Reflect.apply(original, connection, args) as Promise<unknown>;
          // Nothing to bind, nothing to prepare: it is with DuckDB's threads by now.
          if (method === "run" && args[1] === undefined) underWay.getStore()?.underWay();
          return result;
        },
        () => connection.interrupt(),
      ),
    );
  for (const method of ["run", "stream"] as const)
    wrap(DuckDBPreparedStatement.prototype, method, (prepared, original, args) => {
      const result = Reflect.apply(original, prepared, args) as Promise<unknown>;
      underWay.getStore()?.underWay();
      return result;
    });
  // Synchronous: `during` is told as `before`, as nothing can be told of its inside.
  wrap(DuckDBAppender.prototype, "flushSync", (appender, original, args) => {
    const mine = orderFor("append to outcomes");
    if (mine?.act === "kill" && mine.phase !== "after") kill();
    Reflect.apply(original, appender, args);
    if (mine?.act === "kill") kill();
  });
}

/** Puts `around` in the place of a method. */
function wrap<T extends object>(
  prototype: T,
  method: keyof T & string,
  around: (self: T, original: (...args: unknown[]) => unknown, args: unknown[]) => unknown,
): void {
  const original = prototype[method] as (...args: unknown[]) => unknown;
  Object.defineProperty(prototype, method, {
    configurable: true,
    writable: true,
    value(this: T, ...args: unknown[]) {
      return around(this, original, args);
    },
  });
}
