import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createOutbox, safeName } from "../../../src/delivery/providers/outbox.js";
import { NOON, message } from "../fixtures.js";

const never = new AbortController().signal;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "outbox-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("outbox", () => {
  it("keeps a mail as JSON and as HTML under date and run", async () => {
    const outbox = createOutbox(folder, () => NOON);
    expect(await outbox.send(message({ messageId: "m1" }), never)).toEqual({ kind: "accepted", providerId: "outbox:m1" });
    const place = path.join(folder, "2026-03-02", "run-1");
    expect((await readdir(place)).sort()).toEqual(["m1.html", "m1.json"]);
    expect(await readFile(path.join(place, "m1.html"), "utf8")).toBe("<p>Your cart waits.</p>");
    expect(JSON.parse(await readFile(path.join(place, "m1.json"), "utf8"))).toEqual(message({ messageId: "m1" }));
  });

  it("keeps a message without HTML as JSON alone, and replaces one written before", async () => {
    const outbox = createOutbox(folder, () => NOON);
    await outbox.send(message({ messageId: "m1", html: null, text: "old", channel: "sms" }), never);
    await outbox.send(message({ messageId: "m1", html: null, text: "new", channel: "sms" }), never);
    const place = path.join(folder, "2026-03-02", "run-1");
    expect(await readdir(place)).toEqual(["m1.json"]);
    expect(await readFile(path.join(place, "m1.json"), "utf8")).toContain('"new"');
  });

  it("is for one user of the machine alone: files 0600, folders that it makes 0700, those that exist as they were", async () => {
    await chmod(folder, 0o755);
    const outbox = createOutbox(path.join(folder, "outbox"), () => NOON);
    await outbox.send(message({ messageId: "m1" }), never);
    const mode = async (...names: string[]): Promise<string> => ((await stat(path.join(folder, ...names))).mode & 0o777).toString(8);
    const place = ["outbox", "2026-03-02", "run-1"];
    for (const name of ["m1.html", "m1.json"]) expect(await mode(...place, name), name).toBe("600");
    for (const depth of [1, 2, 3]) expect(await mode(...place.slice(0, depth))).toBe("700");
    expect(await mode()).toBe("755");
  });

  it("stays inside its folder whatever the ids are", async () => {
    const outbox = createOutbox(path.join(folder, "deep"), () => NOON);
    for (const id of ["../../evil", "a/b", "..", ".", "", "con:1", "x".repeat(500), "a\0b"]) {
      expect(await outbox.send(message({ messageId: id, runId: id }), never)).toMatchObject({ kind: "accepted" });
    }
    expect(await readdir(folder)).toEqual(["deep"]);
    expect(await readdir(path.join(folder, "deep"))).toEqual(["2026-03-02"]);
    const runs = await readdir(path.join(folder, "deep", "2026-03-02"));
    expect(runs).toHaveLength(8);
    for (const run of runs) expect(run).toMatch(/^x-[0-9a-f]{32}$/u);
    expect(safeName("m-1_2.3")).toBe("m-1_2.3");
  });

  it("says that nothing was handed over when the disk refuses", async () => {
    await writeFile(path.join(folder, "2026-03-02"), "a file where a folder should be");
    expect(await createOutbox(folder, () => NOON).send(message(), never)).toEqual({
      kind: "try_again",
      afterMs: null,
      reason: "the outbox folder can't be written: not a directory (ENOTDIR)",
    });
  });
});
