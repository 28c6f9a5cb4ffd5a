/** A template as it was read: its forms are compiled when first asked for. */
import type { Problem } from "../../core/errors.js";
import type { Silences } from "../../project/schema/lint-rules.js";
import type { BuiltEmail, BuiltText } from "../compile/build.js";
import type { Program } from "../language/ast.js";
import type { Use, Variable } from "../types.js";

export interface Template {
  /** Path under templates/ without `.hbs`. */
  name: string;
  /** Relative to the project root. */
  file: string;
  /** First 12 hex digits of SHA-256 over the file and every layout and partial that it may use. */
  version: string;
  /** What the version is a hash of, to be read by people: each file under its name, the template first. */
  source: string;
  /** Front matter as written, before Handlebars; null where it is not given. */
  subject: string | null;
  preheader: string | null;
  from: string | null;
  replyTo: string | null;
  /** `email` where the body is HTML or the front matter speaks of email; `json` and `text` are for the other channels. */
  kind: "email" | "json" | "text";
  /** Of the form that `kind` names; `variablesFor` gives those of a certain channel. */
  variables: readonly Variable[];
  /** Compiled when first asked for, then kept; the problems are those of this form alone. */
  email(): Built<BuiltEmail>;
  text(): Built<BuiltText>;
  /** For looking at what it says without rendering it. */
  trees(): TemplateTrees;
  lint: Silences;
}

/** A template's texts with the partials in place. */
export interface TemplateTrees {
  subject: Program | null;
  preheader: Program | null;
  body: Program;
  /** The body with its layout around it, as an email has it. */
  mail: Program;
}

/** A compiled form, or why there is none. */
export type Built<T> = { ok: true; built: T; variables: readonly Variable[]; uses: readonly Use[] } | { ok: false; problems: readonly Problem[] };
