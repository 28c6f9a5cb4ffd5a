import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { projectJsonSchema, segmentJsonSchema } from "../../src/project/schema/json-schema.js";

/** The files that editors read; `UPDATE_DOCS=1 npm test` writes them anew. */
test.each([
  ["opportune.schema.json", projectJsonSchema],
  ["segment.schema.json", segmentJsonSchema],
])("docs/schemas/%s is what the loader accepts", (file, schema) => {
  const url = new URL(`../../docs/schemas/${file}`, import.meta.url);
  const text = `${JSON.stringify(schema(), null, 2)}\n`;
  if (process.env["UPDATE_DOCS"] !== undefined) writeFileSync(url, text);
  expect(readFileSync(url, "utf8")).toBe(text);
});
