import { expect, it } from "vitest";
import { canonicalLocale, directionOf, localeOr } from "../../src/core/locales.js";

it.each([
  ["en_US", "en-US"],
  ["en-us", "en-US"],
  ["de_CH.UTF-8", "de-CH"],
  ["de_DE@euro", "de-DE"],
  [" pt-BR ", "pt-BR"],
  ["iw", "he"],
  ["zh_hant_tw", "zh-Hant-TW"],
  ["en-ZZ", "en-ZZ"],
  ["ar-EG-u-nu-latn", "ar-EG-u-nu-latn"],
])("%s is %s", (name, locale) => {
  expect(canonicalLocale(name)).toBe(locale);
  expect(localeOr(name, "fr")).toBe(locale);
});

it.each(["xx-YY", "english", "", " ", "C", "POSIX", "und", "root", "i-klingon", "de-".repeat(60), "-", "*", "12"])(
  "%j is none: the project's counts",
  (name) => {
    expect(canonicalLocale(name)).toBeNull();
    expect(localeOr(name, "fr")).toBe("fr");
    expect(localeOr(null, "fr")).toBe("fr");
  },
);

it("knows which languages are written from the right", () => {
  for (const locale of ["ar", "ar-EG", "he", "fa-IR", "ur-PK", "ps", "sd", "ug", "yi", "ckb", "az-Arab", "pa-Arab-PK"])
    expect([locale, directionOf(locale)]).toEqual([locale, "rtl"]);
  for (const locale of ["en", "de-CH", "az", "pa", "ja-JP", "sd-Deva", "ku-Latn"]) expect([locale, directionOf(locale)]).toEqual([locale, "ltr"]);
});
