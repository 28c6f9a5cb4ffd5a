/** The mutants themselves; who notices them is asked by `npm run test:mutants`. */
import { describe, expect, it } from "vitest";
import { CHAPTERS } from "../../src/arbitration/arbitrate.js";
import { EQUIVALENT } from "./equivalent.js";
import { sqlFile } from "./inject.js";
import { mutantsOf } from "./mutate.js";

function changes(sql: string): string[] {
  return mutantsOf("x.sql", sql).map(({ kind, was, now }) => `${kind}: ${was} => ${now}`);
}

describe("mutants", () => {
  it("leave out and negate each part of a condition, and join the parts otherwise", () => {
    expect(changes("select a from t where a is null and b <> 'and' group by a")).toEqual([
      "left out: a is null => true",
      "negated: a is null => not (a is null)",
      "left out: b <> 'and' => true",
      "negated: b <> 'and' => not (b <> 'and')",
      "joined otherwise: and => or",
    ]);
    expect(changes("with x as ({{#if y}} select a from t where a is null and b is null {{/if}}) select 1 from x")).toHaveLength(5);
    expect(changes("select a from t where (a is null or b is null)")).toContain("left out: a is null => false");
  });

  it("leave out each key of a join, and make a left join one that drops rows", () => {
    expect(changes("select 1 from t left join u on u.a = t.a and u.b = t.b")).toEqual([
      "joined otherwise: left join => join",
      "left out: u.a = t.a => true",
      "left out: u.b = t.b => true",
    ]);
  });

  it("shift comparisons and numbers by one, and turn extremes", () => {
    expect(changes("select min(a) from t having sum(a) > 1")).toEqual(
      expect.arrayContaining(["shifted: min => max", "shifted: > => >=", "counted wrongly: 1 => 2", "counted wrongly: 1 => 0"]),
    );
  });

  it("leave out and turn what orders, and leave out what parts", () => {
    expect(changes("select row_number() over (partition by a order by b desc, c) from t")).toEqual([
      "left out: partition by a => ",
      "left out: b desc, => ",
      "turned: b desc => b",
      "left out: , c => ",
      "turned: c => c desc",
    ]);
  });

  it("swap the neighbours of COALESCE and CASE, and leave out parts of both, of IN and of a union", () => {
    expect(changes("select coalesce(a, b)")).toEqual(["left out: a, => ", "swapped: a, b => b, a", "left out: , b => "]);
    expect(changes("select a from t where coalesce(a, b) is null").filter((change) => change.startsWith("swapped"))).toEqual([]);
    expect(changes("select case x when 'a' then 1 when 'b' then c else d end")).toEqual(
      expect.arrayContaining(["swapped: 1 when 'b' then c => c when 'b' then 1", "left out: else d => "]),
    );
    expect(changes("select case when a is null then 1 when b then c end")).toContain(
      "swapped: when a is null then 1 when b then c => when b then c when a is null then 1",
    );
    expect(changes("select a from t where a in ('x', 'y')")).toEqual(expect.arrayContaining(["left out: 'x', => ", "left out: , 'y' => "]));
    expect(changes("select a from t union all select b from u")).toEqual([
      "left out: union all select b from u => ",
      "left out: select a from t union all => ",
    ]);
  });

  it("leave comments and what Handlebars fills in alone, but for sums", () => {
    expect(changes('select {{plus_seconds "a" "1 and 2"}} -- where a and b')).toEqual([]);
    expect(changes('select {{plus_seconds "a" "b + c"}}')).toEqual(['left out: "b + c" => "b"', 'left out: "b + c" => "c"']);
  });

  it("leave the blocks of Handlebars whole", () => {
    expect(changes("select a from t where a is null {{#unless x}}and b is null{{/unless}}, c")).toEqual([
      "left out: a is null => true",
      "negated: a is null => not (a is null)",
      "left out: b is null => true",
      "negated: b is null => not (b is null)",
      "joined otherwise: and => or",
    ]);
    const all = CHAPTERS.flatMap((file) => mutantsOf(file, sqlFile(file)));
    expect(all.filter(({ was }) => was.split("{{#").length !== was.split("{{/").length)).toEqual([]);
  });

  it("have a reason each where nobody can notice them", () => {
    expect(EQUIVALENT.filter(({ because, mutants }) => because === "" || mutants.length === 0)).toEqual([]);
  });
});
