import * as z from "zod";
import { projectSchema } from "./project-schema.js";
import { segmentSchema } from "./segment-schema.js";

/** Draft 7 is what the YAML extensions of editors understand best. */
const OPTIONS = { io: "input", target: "draft-7" } as const;

/** The JSON Schema of opportune.yml as written, for editors; the same rules that loading applies, but for cross-references. */
export function projectJsonSchema(): z.core.JSONSchema.BaseSchema {
  return { ...z.toJSONSchema(projectSchema, OPTIONS), title: "opportune.yml" };
}

/** The JSON Schema of a segment's front matter as written, for editors. */
export function segmentJsonSchema(): z.core.JSONSchema.BaseSchema {
  return { ...z.toJSONSchema(segmentSchema, OPTIONS), title: "Opportune segment" };
}
