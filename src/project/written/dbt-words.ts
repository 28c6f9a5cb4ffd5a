/** dbt's Jinja in SQL, which people bring along: found before Handlebars stumbles over it. */
import type { Problem } from "../../core/errors.js";
import type { FrontMatterFile } from "./files.js";
import { placeInFile, sqlTokens } from "./sql-tokens.js";

/** `{{ ref('x') }}` and the like, a statement, a comment. */
const CALL = /\{\{-?\s*(ref|source|config|var|env_var|this|target|is_incremental)\s*(?:\(([^)]*)\)|(?=[-\s]*\}\})(?<=this\s*|target\s*))|(?<!\{)\{[%#]/g;

const INSTEAD: Readonly<Record<string, (names: readonly string[]) => string>> = {
  ref: ([model = "orders"]) => `Write {{source "${model}"}}, and name the table under sources in opportune.yml: \`${model}: SCHEMA.${model}\`.`,
  source: ([schema = "shop", table = "orders"]) =>
    `Write {{source "${table}"}}, and name the table under sources in opportune.yml: \`${table}: ${schema}.${table}\`.`,
  var: ([name = "least"]) => `Write {{var "${name}"}}, and its value under vars in opportune.yml.`,
  env_var: ([name = "LEAST"]) => `Write {{var "${name.toLowerCase()}"}}, and under vars in opportune.yml \`${name.toLowerCase()}: \${${name}}\`.`,
  config: () => "Take it out: what a segment does stands in its front matter.",
};

const OTHER = "Take it out: SQL here has {{source}}, {{var}}, {{audience}}, {{as_of}}, {{ago}} and {{before}}, and no Jinja. Do the rest in a model of dbt's.";

/** A problem for the first word of dbt's in a query, outside of quotes: the others are of the same kind; null where there is none. */
export function dbtWords(from: FrontMatterFile): Problem | null {
  const { file, sql } = from;
  const quoted = sqlTokens(sql).filter((token) => !token.comment && !sql.slice(token.from, token.to).includes("{{"));
  for (const found of sql.matchAll(CALL)) {
    if (quoted.some((token) => token.from <= found.index && found.index < token.to)) continue;
    const [text, word = "", given = ""] = found;
    const names = [...given.matchAll(/["']([^"']+)["']/g)].map(([, name = ""]) => name);
    const call = word === "" ? `${text} … ${text === "{#" ? "#}" : "%}"}` : `${text.trimEnd().replace(/\s+/g, " ")} }}`;
    return {
      code: "config/dbt",
      message: `${call} is dbt's: Opportune reads the tables that dbt makes, and none of its Jinja.`,
      hint: INSTEAD[word]?.(names) ?? OTHER,
      file,
      ...placeInFile(from, found.index),
    };
  }
  return null;
}
