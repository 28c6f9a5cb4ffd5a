/** Targets of tests, read as a project's are. */
import { loadProject } from "../../src/project/build/load.js";
import type { Target } from "../../src/project/types.js";
import { temporaryFolder, write } from "../commands/support.js";

/** As a project has it whose opportune.yml names these keys. */
export function connectionOf(target: Readonly<Record<string, unknown>>): Target["connection"] {
  const root = temporaryFolder();
  write(root, {
    "opportune.yml": JSON.stringify({ name: "shop", targets: { test: target }, channels: { email: { provider: "outbox", from: "shop@example.com" } } }),
  });
  return loadProject(root, { env: {} }).target.connection;
}
