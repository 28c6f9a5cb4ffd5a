/** What warehouses quote of people's data is taken out of their errors; what helps to mend the statement stays. */
import { describe, expect, it } from "vitest";
import { scrub } from "../../src/core/redact.js";
import { withoutFreeText, withoutValues } from "../../src/core/values.js";

const SQL = `select u.user_id, cast(u.email as double) as score, u."First Name", '2024-01-01' as day from public.users u where u.plan = 'gold'`;

/** The warehouse's words → the same without values. */
const ERRORS: Readonly<Record<string, readonly (readonly [said: string, shown: string])[]>> = {
  DuckDB: [
    [`Conversion Error: Could not convert string 'ada@example.com' to DOUBLE`, `Conversion Error: Could not convert string [value] to DOUBLE`],
    [`Conversion Error: Could not convert string 'Ada Lovelace' to INT32`, `Conversion Error: Could not convert string [value] to INT32`],
    [`Conversion Error: Could not convert string 'O'Brien' to DOUBLE`, `Conversion Error: Could not convert string [value] to DOUBLE`],
    [`Conversion Error: Could not convert string 'a 'b' c' to DOUBLE`, `Conversion Error: Could not convert string [value] to DOUBLE`],
    [
      `Conversion Error: Type INT64 with value 4917012345678 can't be cast because the value is out of range for the destination type INT32`,
      `Conversion Error: Type INT64 with value [value] can't be cast because the value is out of range for the destination type INT32`,
    ],
    [
      `Conversion Error: date field value out of range: "1815-13-10", expected format is (YYYY-MM-DD)`,
      `Conversion Error: date field value out of range: [value], expected format is (YYYY-MM-DD)`,
    ],
    [
      `Constraint Error: Duplicate key "email: ada@example.com" violates primary key constraint.`,
      `Constraint Error: Duplicate key [value] violates primary key constraint.`,
    ],
    [
      `Invalid Input Error: Malformed JSON at byte 0 of input: unexpected character.  Input: "Ada Lovelace"`,
      `Invalid Input Error: Malformed JSON at byte 0 of input: unexpected character.  Input: [value]`,
    ],
    [
      `Binder Error: Referenced column "emial" not found in FROM clause! Candidate bindings: "email", "user_id"`,
      `Binder Error: Referenced column "emial" not found in FROM clause! Candidate bindings: "email", "user_id"`,
    ],
    [
      `Catalog Error: Table with name userz does not exist! Did you mean "users"?`,
      `Catalog Error: Table with name userz does not exist! Did you mean "users"?`,
    ],
    [
      `TransactionContext Error: Failed to commit: Could not write file "/data/shop.duckdb.wal": No space left on device`,
      `TransactionContext Error: Failed to commit: Could not write file "/data/shop.duckdb.wal": No space left on device`,
    ],
    [
      `Out of Memory Error: failed to pin block of size 256.0 KiB (190734 bytes used)`,
      `Out of Memory Error: failed to pin block of size 256.0 KiB (190734 bytes used)`,
    ],
  ],
  Postgres: [
    [`could not extend file "base/16384/2619": No space left on device`, `could not extend file "base/16384/2619": No space left on device`],
    [`invalid input syntax for type double precision: "ada@example.com"`, `invalid input syntax for type double precision: [value]`],
    [`invalid input syntax for type integer: "Ada "the" Lovelace"`, `invalid input syntax for type integer: [value]`],
    [`invalid input syntax for type date: "2024-01-01"`, `invalid input syntax for type date: "2024-01-01"`],
    [`value "4917012345678" is out of range for type integer`, `value [value] is out of range for type integer`],
    [
      `duplicate key value violates unique constraint "users_email_key" Key (email)=(ada@example.com) already exists.`,
      `duplicate key value violates unique constraint "users_email_key" Key (email)=[value] already exists.`,
    ],
    [`column "emial" does not exist`, `column "emial" does not exist`],
    [`relation "public.userz" does not exist`, `relation "public.userz" does not exist`],
    [`type "duoble" does not exist`, `type "duoble" does not exist`],
    [`time zone "Ada Street" not recognized`, `time zone [value] not recognized`],
    [`invalid value for parameter "TimeZone": "ada@example.com"`, `invalid value for parameter [value]`],
  ],
  Snowflake: [
    [`Numeric value 'ada@example.com' is not recognized`, `Numeric value [value] is not recognized`],
    [`Failed to cast variant value "Ada Lovelace" to REAL`, `Failed to cast variant value [value] to REAL`],
    [`Date '10.12.1815' is not recognized`, `Date [value] is not recognized`],
    [`Error parsing JSON: unknown keyword "Lovelace", pos 9`, `Error parsing JSON: unknown keyword [value], pos 9`],
    [`error line 1 at position 7 invalid identifier 'EMIAL'`, `error line 1 at position 7 invalid identifier 'EMIAL'`],
    [`Object 'SHOP.PUBLIC.USERZ' does not exist or not authorized.`, `Object 'SHOP.PUBLIC.USERZ' does not exist or not authorized.`],
  ],
  BigQuery: [
    [`Bad double value: ada@example.com`, `Bad double value: [value]`],
    [`Bad double value: Ada Lovelace; while executing`, `Bad double value: [value]`],
    [`Could not cast literal "gold" to type INT64`, `Could not cast literal "gold" to type INT64`],
    [`Invalid date: '1815-13-10'`, `Invalid date: [value]`],
    [`Failed to parse input string "Ada Lovelace"`, `Failed to parse input string [value]`],
    [`Unrecognized name: emial; Did you mean email?`, `Unrecognized name: emial; Did you mean email?`],
    [`Not found: Table shop-123456:crm.userz was not found in location EU`, `Not found: Table shop-123456:crm.userz was not found in location EU`],
    [
      `Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.`,
      `Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.`,
    ],
    [`user +49 170 1234567 has no plan 'gold'`, `user [address] has no plan 'gold'`],
    [`https://shop.example/?mail=ada%40example.com is bad`, `https://shop.example/?mail=[address] is bad`],
  ],
};

describe.each(Object.entries(ERRORS))("%s", (_, errors) => {
  it.each(errors)("%s", (said, shown) => {
    expect(withoutValues(said, SQL)).toBe(shown);
  });
});

it("keeps the path of a package, which has an @ too", () => {
  const text = "ENOENT: no such file or directory, open /srv/node_modules/@duckdb/node-api.js";
  expect(withoutValues(text, "")).toBe(text);
});

/** Whose whole text may be a row's: DuckDB says so by its class, the others by their codes. */
it.each([
  ["Invalid Input Error: missing ): Ada Lovelace (", "Invalid Input Error: missing ): [value] ("],
  ["Invalid Input Error: Ada Lovelace has no plan", "Invalid Input Error: [value] has no plan"],
  ["Invalid Input Error: Binder Error: Ada Lovelace", "Invalid Input Error: [value] Error: [value]"],
  ['Invalid Input Error: column "Ada" of \'ada\' in file "/ada"', "Invalid Input Error: column [value] of [value] in file [value]"],
  ["Invalid Input Error: IO Error: O'Brien-Smith, Zoë, 李雷, आदा", "Invalid Input Error: [value] Error: [value]"],
  ["Conversion Error: Date out of range: 1815-12-10", "Conversion Error: Date out of range: [value]"],
  [
    'Conversion Error: Invalid hex escape code encountered in string -> blob conversion of string "\\xZAda": \\xZAda',
    "Conversion Error: Invalid hex escape code encountered in string -> blob conversion of string [value]",
  ],
  ["Not implemented Error: Unknown TimeZone 'Ada Street'!", "Not implemented Error: Unknown TimeZone [value]!"],
  ["Out of Range Error: cannot take square root of a negative number", "Out of Range Error: cannot take square root of a negative number"],
  ["Out of Range Error: Overflow in addition of INT64 (9223372036854775807 + 14)!", "Out of Range Error: Overflow in addition of INT64 ([value] + 14)!"],
  [
    "Invalid Input Error: More than one row returned by a subquery used as an expression - scalar subqueries can only return a single row.",
    "Invalid Input Error: More than one row returned by a subquery used as an expression - scalar subqueries can only return a single row.",
  ],
])("of DuckDB's %j nothing of the row stays", (said, shown) => {
  expect(withoutValues(said, SQL)).toBe(shown);
  expect(withoutValues(shown, SQL)).toBe(shown);
});

it.each([
  ["user Ada Lovelace has no plan", "user [value] has no plan"],
  ["invalid regular expression: parentheses () not balanced", "invalid regular expression: parentheses () not balanced"],
  ["Cannot parse regular expression: missing ): Ada(", "Cannot parse regular expression: missing ): [value]("],
  ["JavaScript execution error: Uncaught Ada in F at 'throw name' position 0", "JavaScript execution error: Uncaught [value] in [value] at [value] position 0"],
  ["division by zero", "division by zero"],
  // What the adapter goes by itself must stay.
  ["opportune: rows changed by statement 12", "opportune: rows changed by statement 12"],
  ["Transaction is aborted due to concurrent update against table public.users", "Transaction is aborted due to concurrent update against table public.users"],
  ["Could not serialize access to table users due to concurrent update", "Could not serialize access to table users due to concurrent update"],
])("of free text %j the statement's and the warehouse's words stay", (said, shown) => {
  expect(withoutFreeText(said, SQL)).toBe(shown);
});

describe("a value of 300,000 characters", () => {
  it.each(["Ada ", "+1 ", "' ", "'a ", "1", "a", "\\(", "@", "a."])("of %j is taken out, whatever it holds", (part) => {
    const value = part.repeat(300_000 / part.length);
    expect(withoutValues(`Conversion Error: Could not convert string '${value}' to INT32`, SQL)).toBe(
      "Conversion Error: Could not convert string [value] to INT32",
    );
    expect(withoutValues(`Bad double value: ${value}`, SQL)).toBe("Bad double value: [value]");
  });
});

it("takes out an address that a cut would leave without its end", () => {
  expect(scrub(`${"x ".repeat(240)}ada.lovelace@example.com`, [])).toBe(`${"x ".repeat(240)}[address]`);
});
