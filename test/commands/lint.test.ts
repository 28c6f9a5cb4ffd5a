import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { opportune, temporaryFolder } from "./support.js";

const FIXTURES = join(import.meta.dirname, "../project/checks");

/** The good project with the faults of some fixtures. */
function project(...fixtures: readonly string[]): string {
  const root = temporaryFolder();
  rmSync(root, { recursive: true });
  for (const fixture of ["good", ...fixtures]) cpSync(join(FIXTURES, fixture), root, { recursive: true });
  return root;
}

describe.concurrent("lint", () => {
  it("says where, what, why, what instead and how to silence it, exit 1", async () => {
    expect(await opportune(project("no-goal"), ["lint"])).toEqual({
      code: 1,
      stderr: "",
      stdout: `segments/cart.sql:2:1: no-goal: Segment cart has no goal.
    It goes on writing to people who have done what it asks for, and nothing says whether it works.
    Name the audience that they are to reach: \`goal: ordered\`.
    If it is right here, write \`lint: {no-goal: "the reason"}\` into the front matter, or into opportune.yml for the whole project.

1 finding.
`,
    });
  });

  it("exits 0 where nothing is found", async () => {
    expect(await opportune(project(), ["lint"])).toEqual({ code: 0, stderr: "", stdout: "Nothing found in 1 segment.\n" });
  });

  it("prints JSON of the selected", async () => {
    const root = project("crowded-audience", "generic-subject");
    const { code, stdout } = await opportune(root, ["lint", "--select", "cart_*", "--output", "json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema_version: 1,
      findings: [
        { rule: "crowded-audience", file: "segments/cart_3.sql", line: 7, column: 7, segments: ["cart_3"] },
        { rule: "generic-subject", file: "templates/cart.hbs", line: 2, segments: ["cart", "cart_2", "cart_3"] },
      ],
      silenced: [],
    });
  });
});
