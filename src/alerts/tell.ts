/** Gives an alert to whom opportune.yml names: a command, a webhook or both. */
import { spawn } from "node:child_process";
import { OpportuneError } from "../core/errors.js";
import type { AlertKind, OnAlert } from "../project/types.js";

/** Raised when a field changes its meaning or goes away; new fields leave it as it is. */
const SCHEMA_VERSION = 1;

/** What a command reads on its standard input and a webhook takes as its body. Holds no address and no secret. */
export interface AlertPayload {
  schema_version: typeof SCHEMA_VERSION;
  alert: AlertKind;
  state: "began" | "ended";
  /** ISO 8601 UTC. */
  at: string;
  project: string;
  target: string;
  /** Null where the run broke off before it had one. */
  run_id: string | null;
  /** All of it in a few words, for people. */
  text: string;
  items: {
    /** `run`, `project`, `segment`, `audience` or `channel`. */
    subject: string;
    /** Of the segment, audience or channel, or the id of the run that left messages in doubt; null of others. */
    name: string | null;
    code: string;
    /** Null when it is over. */
    message: string | null;
    /** ISO 8601 UTC: since when it is wrong. */
    since: string;
  }[];
}

export function alertPayload(alert: Omit<AlertPayload, "schema_version" | "text">): AlertPayload {
  const what = alert.items.map(({ subject, name, code, message, since }) => {
    const about = name === null ? code : `${subject} ${name} (${code})`;
    return message === null ? `${about}, since ${since}` : `${about}: ${message}`;
  });
  const text = `Opportune, ${alert.project} on ${alert.target}: ${alert.alert}${alert.state === "ended" ? ", over" : ""}. ${what.join("; ")}`;
  const { alert: kind, state, at, project, target, run_id, items } = alert;
  return { schema_version: SCHEMA_VERSION, alert: kind, state, at, project, target, run_id, text, items };
}

/** What became of an attempt to tell: true if anybody took it, and what went wrong, in words without secrets. */
export interface Told {
  reached: boolean;
  failures: string[];
}

/** Tells all of them at once, each bounded by the timeout. Never rejects. `root` is the command's folder. */
export async function tell(onAlert: OnAlert, payload: AlertPayload, root: string): Promise<Told> {
  const body = JSON.stringify(payload);
  const ms = onAlert.timeoutSeconds * 1000;
  const attempts = [
    ...(onAlert.command === null ? [] : [runCommand(onAlert.command, body, root, ms)]),
    ...(onAlert.webhook === null ? [] : [post(onAlert.webhook, body, ms)]),
  ];
  const failures = (await Promise.all(attempts)).filter((failure) => failure !== null);
  return { reached: failures.length < attempts.length, failures };
}

/** Null, or what went wrong. */
function runCommand([program = "", ...args]: readonly string[], body: string, cwd: string, ms: number): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ["pipe", "ignore", "ignore"] });
    const name = `the command ${program}`;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, ms);
    const end = (failure: string | null): void => {
      clearTimeout(timer);
      resolve(failure);
    };
    child.on("error", (error: NodeJS.ErrnoException) => end(`${name} could not be started (${error.code ?? error.message})`));
    child.on("exit", (code, signal) => {
      if (late) end(`${name} took longer than ${String(ms / 1000)} seconds and was ended`);
      else end(code === 0 ? null : `${name} ended with ${code === null ? String(signal) : `exit code ${String(code)}`}`);
    });
    // A command that doesn't read what it is told is no failure.
    child.stdin.on("error", () => undefined);
    child.stdin.end(body);
  });
}

/** Null, or what went wrong. The URL may be a secret, so that only its host is named. */
async function post({ url, headers }: NonNullable<OnAlert["webhook"]>, body: string, ms: number): Promise<string | null> {
  const name = `the webhook at ${new URL(url).host}`;
  try {
    // Loaded only now: undici takes a tenth of what a run with nothing to say does.
    const { postOnce } = await import("../core/outgoing.js");
    const status = await postOnce(url, { headers: { "Content-Type": "application/json", ...headers }, body, ms });
    return status >= 200 && status < 300 ? null : `${name} answered ${String(status)}`;
  } catch (error) {
    if (error instanceof Error && error.name === "TimeoutError") return `${name} took longer than ${String(ms / 1000)} seconds`;
    if (error instanceof OpportuneError) return `${name} could not be reached: ${error.message}`;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : null;
    return `${name} could not be reached (${cause !== null && "code" in cause ? String(cause.code) : "no answer"})`;
  }
}
