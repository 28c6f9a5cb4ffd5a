/** Targets of type bigquery: what may be written, what it means, and that no secret is shown. */
import { describe, expect, test } from "vitest";
import { loadProject } from "../../src/project/build/load.js";
import { secretsOf } from "../../src/project/build/secrets.js";
import type { Project } from "../../src/project/types.js";
import { BASE, edited, linesOf, problemsOf, projectFolder, type Files } from "./support.js";

const target = (keys: string): Files => edited("opportune.yml", "{type: duckdb, path: shop.duckdb}", `{type: bigquery, ${keys}}`);
const load = (keys: string, env: NodeJS.ProcessEnv = {}): Project => loadProject(projectFolder({ ...BASE, ...target(keys) }), { env });

describe("a BigQuery target", () => {
  test("has defaults for everything but its project", () => {
    expect(load("project: shop-analytics").target.connection).toEqual({
      type: "bigquery",
      project: "shop-analytics",
      billingProject: null,
      location: null,
      dataset: null,
      signIn: { kind: "default" },
      impersonate: null,
      statementTimeoutSeconds: 600,
      url: null,
    });
  });

  test("takes what a company with several projects writes", () => {
    const keys = [
      'project: "example.com:shop-data"',
      "billing_project: shop-billing",
      "location: europe-west3",
      "dataset: Shop_2",
      "credentials_file: keys/opportune.json",
      "impersonate: opportune@shop-data.iam.gserviceaccount.com",
      "statement_timeout: 90 seconds",
      "url: https://bigquery-shop.p.googleapis.com",
    ];
    expect(load(keys.join(", ")).target.connection).toEqual({
      type: "bigquery",
      project: "example.com:shop-data",
      billingProject: "shop-billing",
      location: "europe-west3",
      dataset: "Shop_2",
      signIn: { kind: "file", file: "keys/opportune.json" },
      impersonate: "opportune@shop-data.iam.gserviceaccount.com",
      statementTimeoutSeconds: 90,
      url: "https://bigquery-shop.p.googleapis.com",
    });
  });

  test("takes a key from the environment, and counts it among the secrets, with the private key in it", () => {
    const key = JSON.stringify({ type: "service_account", private_key: "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n" });
    const project = load('project: shop-analytics, credentials: "${BIGQUERY_CREDENTIALS}"', { BIGQUERY_CREDENTIALS: key });
    expect(project.target.connection).toMatchObject({ signIn: { kind: "key", key } });
    expect(secretsOf(project)).toEqual([key, "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"]);
  });

  test.each([
    ["dataset: shop", "opportune.yml:3:8: project is missing in targets.dev; expected a project's id, such as shop-analytics."],
    ["project: Shop", 'opportune.yml:3:34: targets.dev.project is "Shop"; expected a project\'s id, such as shop-analytics.'],
    ["project: shop-analytics, billing_project: a`b", 'targets.dev.billing_project is "a`b"; expected a project\'s id'],
    ["project: shop-analytics, location: Europe West", 'targets.dev.location is "Europe West"; expected a location such as EU, US or europe-west3'],
    ["project: shop-analytics, dataset: shop.carts", 'targets.dev.dataset is "shop.carts"; expected a dataset\'s name of letters, digits and _'],
    ["project: shop-analytics, impersonate: ada@example.com", "expected a service account, such as opportune@shop-analytics.iam.gserviceaccount.com"],
    ["project: shop-analytics, url: http://bigquery.example.com", "expected a URL beginning with https://"],
    ["project: shop-analytics, statement_timeout: 5m", 'Did you mean "5 minutes"?'],
    ["projekt: shop-analytics", 'Unknown key "projekt" in targets.dev'],
    [
      'project: shop-analytics, credentials: "{}", credentials_file: key.json',
      "opportune.yml:3:69: targets.dev names two ways to sign in: credentials and credentials_file. | Leave one of them out.",
    ],
    [
      'project: shop-analytics, credentials_file: key.json, url: "http://127.0.0.1:9050"',
      "opportune.yml:3:50: targets.dev.credentials_file stands beside a url on this machine, an emulator, which takes no credentials. | Leave one of them out.",
    ],
  ])("names the slip in %s", (keys, message) => {
    expect(linesOf(problemsOf({ ...BASE, ...target(keys) })).join("\n")).toContain(message);
  });

  test("never shows a key that is written where it can't stand", () => {
    const lines = (keys: string): string => linesOf(problemsOf({ ...BASE, ...target(`project: shop-analytics, ${keys}`) })).join("\n");
    expect(lines("credentials: 123454321")).toContain("credentials is not shown here");
    expect(lines("credentials: 123454321") + lines("credentials: {private_key: 123454321}")).not.toContain("123454321");
  });

  test("shows a file's name, which is no secret", () => {
    expect(linesOf(problemsOf({ ...BASE, ...target("project: shop-analytics, credentials_file: 7") })).join("\n")).toContain("credentials_file is 7");
  });
});
