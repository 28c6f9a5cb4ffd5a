/** Odd values of every column type, as texts that are cast to it: what a cast refuses is null. */
import type { Random } from "./random.js";

/** A type that a column can have. */
export interface FuzzedType {
  name: string;
  /** As `create table` takes it. */
  sql: string;
  /** SQL that must run before it can be named. */
  define?: string;
  pools: readonly Pool[];
  /** Values of the good neighbours, all different, with the text that each is as an id. */
  good: readonly (readonly [text: string, id: string])[];
  /** The text of the first as a key, where that is another than as an id. */
  key?: string;
  /** What a template writes of the first; null: nothing that is one text. */
  shown: string | null;
  /** It can be the time of a behaviour. */
  isTime?: true;
  /** It can be an address. */
  isText?: true;
}

type Pool = "text" | "json" | "number" | "time" | "boolean" | "uuid" | "bytes" | "list" | "struct" | "interval";

const ZONES = [
  "PST",
  "IST",
  "Europe/Berlin",
  "europe/berlin",
  "EUROPE/KYIV",
  "+02:00",
  "UTC+1",
  "Mars/Base",
  "2026-03-02T12:00[Europe/Berlin]",
  "\u212Area/x",
  "Z",
];
const LOCALES = ["de", "de_CH", "en-US-u-nu-arab", "xx-invalid-locale-name", "tr-TR", "i-klingon", "zh-Hant-TW", "-", "de-".repeat(60)];
const ADDRESSES = [
  "ada@example.com\r\nBcc: eve@example.com",
  "Ada <ada@example.com>",
  "a@b",
  "@example.com",
  "a@@example.com",
  "a@example.com,b@example.com",
  `${"a".repeat(300)}@example.com`,
  "ünï@exämple.com",
  "ADA@EXAMPLE.COM",
  "\u202Ea@example.com",
];
const SIGNS = [
  "",
  " ",
  "\t",
  "\r\nSubject: owned\r\n\r\n",
  "\u0000",
  "a\u0000b",
  "\u0001\u001f\u007f\u0085",
  "\u2028\u2029",
  "\u202Eevil\u202C",
  "a\u200b\u200d\ufeffb",
  "\ud7ff\ue000\uffff",
  "🙂👩‍👩‍👧",
  "é".repeat(300),
  "漢".repeat(171),
  "x".repeat(512),
  "x".repeat(513),
  "x".repeat(3000),
  "__proto__",
  "constructor",
  "toString",
  "{{user_id}}{{{v}}}",
  "</script><script>alert(1)</script>",
  `'; drop table sent_ledger; -- "\\`,
  "\\u0000\\ud800",
  "../../../etc/passwd",
  "null",
  "%s%n$1:p1@p1?",
];
const JSONS = [
  '{"a":1,"a":2}',
  '{"a":1234567890123456,"a":2}',
  '{"a":{"b":1,"b":12345678901234567890.123}}',
  '{"__proto__":{"x":1},"constructor":12345678901234567}',
  '"\\ud800"',
  '"\\u0000"',
  '{"\\ud800":"\\udfff\\u0000"}',
  "1e400",
  "-1e999",
  "[1e400,12345678901234567890]",
  "[NaN,Infinity]",
  '"Infinity 1234567890123456 \\" NaN"',
  "null",
  "true",
  '""',
  `${"[".repeat(900)}${"]".repeat(900)}`,
  `${'{"a":'.repeat(900)}12345678901234567${"}".repeat(900)}`,
  `${"[".repeat(20_000)}1234567890123456${"]".repeat(20_000)}`,
];
const NUMBERS =
  "0 -0 1 -1 7.0 7.00 0.1 1e5 127 -128 255 32768 2147483648 -2147483649 9007199254740993 -9007199254740993 9223372036854775807 -9223372036854775808 18446744073709551615 170141183460469231731687303715884105727 99999999999999999999999999.9999999999 NaN Infinity -Infinity 1e20 1e308 1.7976931348623157e308 5e-324 1e-7 1e400".split(
    " ",
  );
const TIMES = [
  "infinity",
  "-infinity",
  "epoch",
  "now",
  "0044-03-15 BC",
  "0044-03-15 (BC)",
  "4713-01-01 BC",
  "290308-12-22 (BC)",
  "0001-01-01",
  "0000-01-01",
  "9999-12-31 23:59:59.999999",
  "10000-01-01",
  "294246-12-31",
  "294276-12-31 23:59:59",
  "5874897-12-31",
  "5881580-07-10",
  "5877642-06-25 (BC)",
  "1677-09-21 00:12:44",
  "2262-04-11 23:47:16",
  "2026-02-30",
  "2026-02-29 10:00",
  "2024-02-29",
  "2026-13-01",
  "2026-03-02T24:00:00Z",
  "2026-03-02T10:00:60Z",
  "2026-03-02T10:00:00+14:00",
  "2026-03-02T10:00:00+99:99",
  "2026-03-02 10:00:00 America/New_York",
  "2026-03-02T10:00:00.123456789Z",
  "yesterday",
  "25:00:00",
  "10:30:00+15:59",
  "23:59:60",
];
const POOLS: Readonly<Record<Pool, readonly string[]>> = {
  text: [...ZONES, ...LOCALES, ...ADDRESSES, ...SIGNS],
  json: JSONS,
  number: NUMBERS,
  time: TIMES,
  boolean: ["true", "false", "t", "1", "0", "maybe"],
  uuid: ["00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"],
  bytes: ["\\x00", "\\x00\\xFF\\xD8\\x00", "\\xdeadbeef", "a\\x00b", "101010", "", "1".repeat(9000)],
  list: [
    "{}",
    "[]",
    "{NULL}",
    "[NULL]",
    "{1,NULL,NaN}",
    "[1, NULL, nan]",
    "{Infinity,-Infinity}",
    "[inf, -inf]",
    '{"a\\"b",c}',
    "['a', NULL]",
    `{${"1,".repeat(3000)}1}`,
    `[${"1,".repeat(3000)}1]`,
  ],
  struct: [
    "{'a': 1, 'b': 'x'}",
    "{'a': NULL, 'b': NULL}",
    "{'a': nan, 'b': '\\'}",
    "(1,x)",
    "(,)",
    "(NaN,)",
    '("1e308","a""b")',
    "{a=1, b=x}",
    "{k=NULL}",
    "{}",
  ],
  interval: ["1 day", "-1 day", "178000000 years", "-178956970 years", "999999999 days", "00:00:00.000001", "1 year 2 months -3 days", "infinity"],
};

/** One odd text for a column of that type; a few of every hundred are of no pool of its own, are random, or null. */
export function oddValue(random: Random, pools: readonly Pool[]): string | null {
  const chance = random.next();
  if (chance < 0.03) return null;
  if (chance < 0.1) return randomText(random);
  const pool = chance < 0.2 ? random.pick(Object.values(POOLS)) : POOLS[random.pick(pools)];
  const value = random.pick(pool);
  return pools.includes("number") && chance > 0.8 ? String(Math.round((random.next() - 0.5) * 10 ** random.whole(0, 25)) / 100) : value;
}

function randomText(random: Random): string {
  const point = (): number => {
    const code = random.whole(0, random.pick([0x20, 0x7f, 0x7ff, 0xffff, 0x10ffff]));
    return code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
  };
  return Array.from({ length: random.whole(0, 40) }, () => String.fromCodePoint(point())).join("");
}

const same = (...texts: readonly string[]): readonly (readonly [string, string])[] => texts.map((text) => [text, text] as const);
const FIVE = [1, 2, 3, 4, 5];
const days = (month: number): string[] => FIVE.map((day) => `2026-0${String(month)}-0${String(day)}`);
const UUIDS = FIVE.map((n) => `a0eebc99-9c0b-4ef8-bb6d-6bb9bd38000${String(n)}`);
const WORDS = ["ada", "bob", "cleo", "dora", "eli"];
/** Ids of their own, as one user hears once a run: `base` and the four after it. */
const from = (base: number, places = ""): string[] => FIVE.map((_, i) => String(base + i) + places);
const whole = (sql: string, base: number): FuzzedType => ({ name: sql, sql, pools: ["number"], good: same(...from(base)), shown: String(base) });
const float = (name: string, base: number, sql = name): FuzzedType => ({
  name,
  sql,
  pools: ["number"],
  good: same(...from(base, ".5")),
  shown: `${String(base)}.5`,
});
const json = (sql: string): FuzzedType => ({ name: sql, sql, pools: ["json"], good: same(...WORDS.map((word) => `"${word}-${sql}"`)), shown: `ada-${sql}` });
const bool: FuzzedType = { name: "boolean", sql: "boolean", pools: ["boolean"], good: same("true"), shown: "true" };
const time: FuzzedType = { name: "time", sql: "time", pools: ["time"], good: same("10:00:00", "11:00:00"), shown: "10:00:00" };
const interval: FuzzedType = { name: "interval", sql: "interval", pools: ["interval"], good: same("1 day", "2 days"), shown: "1 day" };
const mood: FuzzedType = {
  name: "enum",
  sql: "mood",
  define: "create type mood as enum ('ada', 'bob', 'null', '')",
  pools: ["text"],
  good: same("ada", "bob"),
  shown: "ada",
};
const uuid: FuzzedType = { name: "uuid", sql: "uuid", pools: ["uuid"], good: same(...UUIDS), shown: UUIDS[0] ?? "" };
const date: FuzzedType = { name: "date", sql: "date", pools: ["time"], good: same(...days(1)), shown: "2026-01-01", isTime: true };
const instant = (sql: string, month: number, zone = ""): FuzzedType => ({
  name: sql,
  sql,
  pools: ["time"],
  good: days(month).map((day) => [day, `${day} 00:00:00${zone}`] as const),
  shown: `${days(month)[0] ?? ""}T00:00:00Z`,
  isTime: true,
});
const text = (name: string, sql: string): FuzzedType => ({
  name,
  sql,
  pools: ["text", "text", "json", "number", "time"],
  good: same(...WORDS.map((word) => `${word}-${name}`)),
  shown: `ada-${name}`,
  isText: true,
  isTime: true,
});
const decimal = (sql: string, places: string): FuzzedType => ({
  name: "decimal",
  sql,
  pools: ["number"],
  good: same(...from(6041)),
  key: `6041${places}`,
  shown: `6041${places}`,
});
const nested = (name: string, sql: string, pool: Pool, good: string, id: string, define?: string): FuzzedType => ({
  name,
  sql,
  pools: [pool],
  good: [[good, id]],
  shown: null,
  ...(define === undefined ? {} : { define }),
});

export const DUCKDB_TYPES: readonly FuzzedType[] = [
  text("varchar", "varchar"),
  json("json"),
  whole("tinyint", 41),
  whole("integer", 2041),
  whole("bigint", 3041),
  whole("ubigint", 4041),
  whole("hugeint", 5041),
  decimal("decimal(38,10)", ".0000000000"),
  float("double", 7041),
  float("float", 8041),
  bool,
  date,
  instant("timestamp", 2),
  instant("timestamp_s", 3),
  instant("timestamp_ms", 4),
  instant("timestamp_ns", 5),
  instant("timestamptz", 6, "+00"),
  time,
  interval,
  uuid,
  { name: "blob", sql: "blob", pools: ["bytes"], good: same("cleo", "dora"), shown: "cleo" },
  { name: "bit", sql: "bit", pools: ["bytes"], good: same("0101", "1101"), shown: "0101" },
  mood,
  nested("list", "double[]", "list", "[1.5]", "[1.5]"),
  nested("texts", "varchar[]", "list", "[ada]", "[ada]"),
  nested("struct", "struct(a double, b varchar)", "struct", "{'a': 1.5, 'b': 'x'}", "{'a': 1.5, 'b': x}"),
  nested("map", "map(varchar, double)", "struct", "{k=1.5}", "{k=1.5}"),
];

export const POSTGRES_TYPES: readonly FuzzedType[] = [
  text("text", "text"),
  { ...text("char", "char(40)"), shown: "ada-char".padEnd(40) },
  json("json"),
  json("jsonb"),
  whole("smallint", 1041),
  whole("integer", 2041),
  whole("bigint", 3041),
  { ...decimal("numeric", ""), name: "numeric" },
  float("real", 8041),
  float("double", 7041, "double precision"),
  { name: "money", sql: "money", pools: ["number"], good: [["41", "$41.00"]], shown: "41.00" },
  bool,
  date,
  instant("timestamp", 2),
  instant("timestamptz", 6, "+00"),
  time,
  { name: "timetz", sql: "timetz", pools: ["time"], good: same("10:00:00+00", "11:00:00+00"), shown: "10:00:00+00" },
  interval,
  uuid,
  { name: "bytea", sql: "bytea", pools: ["bytes"], good: same("\\x616461", "\\x626f62"), shown: "\\x616461" },
  { name: "bits", sql: "bit varying", pools: ["bytes"], good: same("0101", "1101"), shown: "0101" },
  mood,
  nested("list", "double precision[]", "list", "{1.5}", "{1.5}"),
  nested("texts", "text[]", "list", "{ada}", "{ada}"),
  nested("record", "pair", "struct", "(1.5,x)", "(1.5,x)", "create type pair as (a double precision, b text)"),
];

/** Names of those that are refused as a column of ids: a query casts them to text. */
export const NO_IDS: ReadonlySet<string> = new Set([
  ...["boolean", "date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamptz", "interval", "real", "float", "double"],
  ...["json", "jsonb", "blob", "bytea", "bit", "bits", "list", "texts", "struct", "map", "record"],
]);
