import { OpportuneError } from "../core/errors.js";
import { pauses, setPause as writePause, type Pause } from "../ledger/pauses.js";
import { isTrial } from "../ledger/trial.js";
import { requireLedger } from "../ledger/schema.js";
import type { Project } from "../project/types.js";
import { segmentNamed, unknownName, withWarehouse } from "./context.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

export interface PauseOptions extends GlobalOptions {
  channel?: string;
  all?: boolean;
}

/** Pauses a segment, a channel or everything. */
export function pauseCommand(terminal: Terminal, options: PauseOptions, [segment]: readonly string[]): Promise<number> {
  return setPause(terminal, options, segment, true);
}

/** Both `pause` and `resume`: writes the ledger only where it changes something. */
export function setPause(terminal: Terminal, options: PauseOptions, segment: string | undefined, paused: boolean): Promise<number> {
  return withWarehouse(terminal, options, async (project, warehouse) => {
    const pause = pauseOf(project, options, segment, paused ? "pause" : "resume");
    // Without the lease: a run that is under way is what one wants to pause most.
    const { schema } = project.target;
    const trial = isTrial(project.target, null);
    await requireLedger(warehouse, schema);
    const standing = (await pauses(warehouse, schema, trial, Date.now())).some(({ scope, name }) => scope === pause.scope && name === pause.name);
    if (standing !== paused) await writePause(warehouse, schema, { ...pause, paused, trial }, Date.now());
    terminal.out(message(pause, project, paused, standing));
    return 0;
  });
}

function pauseOf(project: Project, { channel, all }: PauseOptions, segment: string | undefined, verb: string): Pause {
  if ([segment, channel, all === true ? "all" : undefined].filter((given) => given !== undefined).length !== 1) {
    throw new OpportuneError(
      {
        code: "usage/pause",
        message: `Say what to ${verb}: one segment, one --channel, or --all.`,
        hint: `For example \`opportune ${verb} cart_abandoned\`, \`opportune ${verb} --channel email\` or \`opportune ${verb} --all\`.`,
      },
      2,
    );
  }
  if (segment !== undefined) return { scope: "segment", name: segmentNamed(project, segment).id };
  if (channel === undefined) return { scope: "project", name: "" };
  if (!project.channels.has(channel)) throw unknownName("channel", channel, [...project.channels.keys()]);
  return { scope: "channel", name: channel };
}

function message({ scope, name }: Pause, project: Project, paused: boolean, standing: boolean): string {
  const what = scope === "project" ? `Everything on target ${project.target.name}` : `${scope === "segment" ? "Segment" : "Channel"} ${name}`;
  if (standing === paused) return `${what} ${paused ? "was paused already" : "was not paused"}.`;
  const after = paused
    ? "from the next run on, and from the next batch of one that is under way: its messages wait and are decided again after `opportune resume`."
    : "from the next run on: what waits is decided again then, if its window is still open.";
  const written =
    scope === "segment" && !paused && project.segments.get(name)?.status === "paused"
      ? `\nIts file still says \`status: paused\`: set it to \`live\` to send again.`
      : "";
  const whom = isTrial(project.target, null) ? `\nTarget ${project.target.name} is not live: this holds for trials alone.` : "";
  return `${what} is ${paused ? "paused" : "resumed"} ${after}${written}${whom}`;
}
