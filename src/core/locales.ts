/** Which languages there are. What a locale is never depends on this machine's own. */

/** More than a run's rows name, as a rule. */
const REMEMBERED = 1000;
/** What was asked lately: each message asks. */
const answers = new Map<string, string | null>();

/**
 * The name of a locale as BCP 47 has it: `en-US` for `en_US`, `en-us` and `en_US.UTF-8`. Null where Intl knows no such language: it
 * would write in this machine's own. This is the one definition, for rows, templates and opportune.yml.
 */
export function canonicalLocale(name: string): string | null {
  let answer = answers.get(name);
  if (answer === undefined) {
    answer = known(name);
    if (answers.size >= REMEMBERED) answers.clear();
    answers.set(name, answer);
  }
  return answer;
}

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
export function directionOf(locale: string): "ltr" | "rtl" {
  return FROM_RIGHT.has(new Intl.Locale(locale).maximize().script ?? "") ? "rtl" : "ltr";
}
