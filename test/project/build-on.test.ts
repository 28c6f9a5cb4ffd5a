import { describe, expect, it } from "vitest";
import { audiencesIn, builtOn } from "../../src/project/written/build-on.js";
import { readSqlFile } from "../../src/project/written/files.js";
import { temporaryFolder, write } from "../commands/support.js";

/** Audiences as the files that they are. */
function files(queries: Readonly<Record<string, string>>): Parameters<typeof builtOn>[1] {
  const root = temporaryFolder();
  write(root, Object.fromEntries(Object.entries(queries).map(([name, sql]) => [`${name}.sql`, sql])));
  return new Map(Object.keys(queries).map((name) => [name, readSqlFile(root, `${name}.sql`).sqlFile]));
}

const CUSTOMERS = `/*---
description: Who bought
---*/
-- It's all orders; "all" of them.
select user_id, -- who
  ordered_at as occurred_at /* the
  time */
from {{source "orders"}} {{!-- not {{audience "x"}} --}}
where note <> '-- no
comment' and ordered_at > {{ago "7 days"}};
`;

describe("a query that builds on an audience", () => {
  it("has the audience's query in its place, without comments, so that no line moves", () => {
    const sql = `select *\nfrom {{audience "customers"}} c\nwhere 1 = 1\n`;
    const built = builtOn(sql, files({ customers: CUSTOMERS }));
    expect(built.replaceAll(/ +/g, " ")).toBe(
      `select *\nfrom (select user_id, ordered_at as occurred_at from {{source "orders"}} where note <> '-- no\ncomment' and ordered_at > {{ago "7 days"}}) c\nwhere 1 = 1\n`,
    );
  });

  it("may build on one that builds on another, as often as it likes", () => {
    const audiences = files({ all: "select user_id from t", best: 'select user_id\nfrom {{ audience "all" }} a\nwhere a.best' });
    expect(builtOn(`{{audience 'best'}} b join {{~audience "all"~}} a`, audiences)).toBe(
      "(select user_id from (select user_id from t) a where a.best) b join (select user_id from t) a",
    );
  });

  it("is left alone in comments, but for the braces", () => {
    expect(builtOn(`select 1 -- see {{audience "all"}}\n/* and {{audience "none"}} */`, files({ all: "select 1" }))).toBe(
      "select 1 -- see all\n/* and none */",
    );
    expect(audiencesIn(`select 1 -- see {{audience "all"}}\nfrom {{audience "b"}} b, {{audience "a"}} a, {{audience "b"}} c`)).toEqual(["a", "b"]);
  });
});
