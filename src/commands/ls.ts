import { segmentListing, audienceListing, listingDocument } from "../report/listing.js";
import { openProject } from "./context.js";
import { selectSegments } from "./select.js";
import type { GlobalOptions, Terminal } from "./terminal.js";

export interface LsOptions extends GlobalOptions {
  select?: string[];
  exclude?: string[];
}

/** Lists segments and audiences; asks no warehouse. */
export function lsCommand(terminal: Terminal, options: LsOptions): Promise<number> {
  const project = openProject(options);
  const segments = selectSegments(project, options);
  const audiences = [...project.audiences.values()];
  if (options.output === "json") terminal.out(JSON.stringify(listingDocument(segments, audiences), null, 2));
  else terminal.out([segmentListing(segments, terminal.outPaint), "", audienceListing(segments, audiences, project.policy, terminal.outPaint)].join("\n"));
  return Promise.resolve(0);
}
