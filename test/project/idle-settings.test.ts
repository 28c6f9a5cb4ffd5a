/** Settings that have no effect: each warned of by `compile`, at its file and line; and none of those that have one. */
import { expect, it } from "vitest";
import { loadProject } from "../../src/project/build/load.js";
import { join } from "node:path";
import { segmentFile, shopProject } from "../segments/support.js";

const QUERY = "select user_id, email, occurred_at from carts";
const STEP = "steps: [{name: nudge, channel: email, template: cart}]";
const yaml = (target: string, channel: string): string =>
  `name: shop\ntarget: dev\ntargets:\n${target}channels:\n  email:\n    from: Shop <shop@example.com>\n${channel}`;
const DUCKDB = '  dev: {type: duckdb, path: ":memory:"}\n';
const POSTGRES = "  old: {type: postgres, database: shop}\n";
const BIGQUERY = "  prod: {type: bigquery, project: shop-prod}\n";
const OUTBOX = "    provider: outbox\n";

const places = (files: Readonly<Record<string, string>>): string[] =>
  shopProject(files).idle.map(({ file, line, message }) => `${String(file)}:${String(line)} ${message.split(" ")[0] ?? ""}`);

it.each([
  [
    "goal.within",
    {
      "segments/cart.sql": segmentFile(QUERY, `${STEP}\ngoal: {audience: reached, within: 7 days}`),
      "segments/audiences/reached.sql": "select user_id from orders",
    },
    ["segments/cart.sql:4 goal.within"],
  ],
  ["a goal by name", { "segments/cart.sql": segmentFile(QUERY, `${STEP}\ngoal: reached`), "segments/audiences/reached.sql": "select user_id from orders" }, []],
  ["a transactional topic", { "segments/cart.sql": segmentFile(QUERY, `${STEP}\ntopic: carts\nclass: transactional`) }, ["segments/cart.sql:4 topic"]],
  ["a marketing topic", { "segments/cart.sql": segmentFile(QUERY, `${STEP}\ntopic: carts`) }, []],
  [
    "max_bytes_billed on DuckDB and Postgres",
    { "opportune.yml": yaml(DUCKDB + POSTGRES, OUTBOX), "segments/cart.sql": segmentFile(QUERY, `${STEP}\nmax_bytes_billed: 10 GB`) },
    ["segments/cart.sql:4 max_bytes_billed"],
  ],
  [
    "max_bytes_billed where one target heeds it",
    { "opportune.yml": yaml(DUCKDB + BIGQUERY, OUTBOX), "segments/cart.sql": segmentFile(QUERY, `${STEP}\nmax_bytes_billed: 10 GB`) },
    [],
  ],
  [
    "a provider's keys of an outbox",
    {
      "opportune.yml": yaml(
        DUCKDB,
        `${OUTBOX}    api_key: SG.x\n    timeout: 5 seconds\n    on_doubt: resend\n    endpoint: "https://api.example.com"\n    html_ok: true\n    rate: 5\n    in_flight: 2\n    reply_to: a@example.com\n`,
      ),
    },
    [
      "opportune.yml:9 channels.email.api_key",
      "opportune.yml:12 channels.email.endpoint",
      "opportune.yml:10 channels.email.timeout",
      "opportune.yml:11 channels.email.on_doubt",
      "opportune.yml:13 channels.email.html_ok",
    ],
  ],
  [
    "those keys of a provider",
    { "opportune.yml": yaml(DUCKDB, "    provider: sendgrid\n    api_key: SG.x\n    timeout: 5 seconds\n    on_doubt: resend\n") },
    [],
  ],
])("%s", (_, files, expected) => {
  expect(places(files)).toEqual(expected);
});

it("the shipped project has none", () => {
  expect(loadProject(join(import.meta.dirname, "../.."), { env: {} }).idle).toEqual([]);
});
