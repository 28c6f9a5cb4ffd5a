/** The slow model is an oracle only while it can't see the code: of src it imports types alone, whatever stands between. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const MODEL = join(import.meta.dirname, "../model");

/** The files that a file imports more than types of. */
function importsOf(file: string): string[] {
  const statements = readFileSync(file, "utf8").matchAll(
    /^(?:import|export)\s(?!type\b)[^;]*?from\s+"(\.[^"]+)";|^import\s+"(\.[^"]+)";|\bimport\("(\.[^"]+)"\)/gm,
  );
  return [...statements].map(([, from, plain, called]) => resolve(file, "..", (from ?? plain ?? called ?? "").replace(/\.js$/, ".ts")));
}

/** Every file that is read when these are imported. */
function reached(files: readonly string[]): Set<string> {
  const all = new Set(files);
  for (const file of all) for (const imported of importsOf(file)) all.add(imported);
  return all;
}

it("the model imports nothing but types from src", () => {
  const files = [...reached(readdirSync(MODEL).map((file) => join(MODEL, file)))];
  expect(files.length).toBeGreaterThan(9);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
  expect(files.map((file) => relative(ROOT, file)).filter((file) => !file.startsWith("test/"))).toEqual([]);
});
