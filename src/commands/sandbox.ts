import { OpportuneError } from "../core/errors.js";
import { sandboxChannels } from "../delivery/providers/registry.js";
import { readFaults, type Fault } from "../server/sandbox/faults.js";
import { startSandbox } from "../server/sandbox/sandbox.js";
import { decisionReader } from "./shared/decision.js";
import { portOf } from "./shared/port.js";
import type { GlobalOptions, Terminal } from "./shared/terminal.js";
import { untilStopped } from "./shared/until-stopped.js";

export interface SandboxCommandOptions extends GlobalOptions {
  port: string;
  fault?: string[];
  apiKey?: string;
}

/** The sandbox, until SIGINT, SIGTERM or SIGHUP. */
export async function sandboxCommand(terminal: Terminal, options: SandboxCommandOptions): Promise<number> {
  const port = portOf(options.port);
  const faults = (options.fault ?? []).flatMap(faultsOf);
  const decision = decisionReader(terminal, options);
  const sandbox = await startSandbox({
    port,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
    ...(decision === undefined ? {} : { decision }),
  });
  sandbox.setFaults(faults);
  terminal.out(`The sandbox takes emails at ${sandbox.url} and sends nothing. Look at it there with a browser${decision === undefined ? "" : ", and at the decision behind each"}.

The channel that uses it, in opportune.yml:
${channelLines(sandbox.url, options.apiKey)}

Look and steer by HTTP:
  GET    ${sandbox.url}/sandbox/messages          what arrived, newest last (?to=ada@example.com&limit=10)
  DELETE ${sandbox.url}/sandbox/messages          forget it
  GET    ${sandbox.url}/sandbox/stats             requests, answers
  PUT    ${sandbox.url}/sandbox/faults            misbehave: {"status":429,"resetInSeconds":2}, {"hang":"after","count":1}, {"delayMs":500}
  DELETE ${sandbox.url}/sandbox/faults            behave again

Ctrl-C ends it.`);
  await untilStopped();
  const { requests, accepted } = sandbox.stats();
  await sandbox.close();
  terminal.note(`The sandbox took ${String(accepted)} of ${String(requests)} messages.`);
  return 0;
}

/** `  email: {provider: …, sandbox: true, …}`, a line for each type of channel that the sandbox takes. */
function channelLines(url: string, key: string | undefined): string {
  const written = (value: string | boolean): string => (/^[\w.-]+$/.test(String(value)) ? String(value) : JSON.stringify(value));
  return [...sandboxChannels(url, key)]
    .map(([type, keys]) => {
      const pairs = Object.entries({ ...keys, from: "Shop <shop@example.com>" }).map(([name, value]) => `${name}: ${written(value)}`);
      return `  ${type}: {${pairs.join(", ")}}`;
    })
    .join("\n");
}

function faultsOf(text: string): Fault[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new OpportuneError(
      { code: "usage/fault", message: `--fault is not JSON: ${text}`, hint: `For example --fault '{"status":429,"resetInSeconds":2}'.` },
      2,
    );
  }
  const read = readFaults(value);
  if ("faults" in read) return read.faults;
  throw new OpportuneError(
    {
      code: "usage/fault",
      message: `--fault ${text}: ${read.wrong.replaceAll("\n", " ")}`,
      hint: "Allowed: status (with resetInSeconds or retryAfterSeconds), hang, cut or delayMs; count, share and seed say which requests it befalls.",
    },
    2,
  );
}
