/** Which languages there are. What a locale is never depends on this machine's own. */

import { remembered } from "./remembered.js";

/**
 * The name of a locale as BCP 47 has it: `en-US` for `en_US`, `en-us` and `en_US.UTF-8`. Null where Intl knows no such language: it
 * would write in this machine's own. This is the one definition, for rows, templates and opportune.yml.
 */
export const canonicalLocale = remembered(known);

/** The locale that counts for a row: its own if that is one, else the project's. */
export function localeOr(own: string | null, projectLocale: string): string {
  return (own === null ? null : canonicalLocale(own)) ?? projectLocale;
}

function known(name: string): string | null {
  try {
    const [locale = ""] = Intl.getCanonicalLocales(
      name
        .trim()
        .replace(/[.@].*$/, "")
        .replaceAll("_", "-"),
    );
    return Intl.NumberFormat.supportedLocalesOf(locale)[0] ?? null;
  } catch {
    return null;
  }
}

/** Scripts that are written from right to left, by their codes in ISO 15924. */
const FROM_RIGHT: ReadonlySet<string> = new Set(["Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"]);

/** As HTML's `dir` has it, of a locale that `canonicalLocale` gave. */
export const directionOf = remembered((locale): "ltr" | "rtl" => (FROM_RIGHT.has(new Intl.Locale(locale).maximize().script ?? "") ? "rtl" : "ltr"));
