import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectJsonSchema, segmentJsonSchema } from "../../src/project/schema/json-schema.js";
import { BASE } from "./support.js";

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
const project = ajv.compile(projectJsonSchema());
const segment = ajv.compile(segmentJsonSchema());

const accepts = (check: ValidateFunction, yaml: string): boolean => check(parse(yaml));

describe("JSON Schemas for editors", () => {
  test("accept what loading accepts", () => {
    expect(accepts(project, String(BASE["opportune.yml"]))).toBe(true);
    expect(accepts(segment, "{goal: ordered, repeat: every 30 days, holdout: 10%, channel: email, template: a/b}")).toBe(true);
    expect(accepts(segment, "steps: [{name: a, channel: email, template: t, after: 1 hour 30 minutes}]")).toBe(true);
  });

  test.each([
    ["unknown key", "{name: shop, targets: {dev: {type: duckdb, path: x, thread: 1}}}"],
    ["missing key", "{targets: {dev: {type: duckdb, path: x}}}"],
    ["bad name", "{name: shop, targets: {Dev: {type: duckdb, path: x}}}"],
    ["bad duration", "{name: shop, targets: {dev: {type: duckdb, path: x}}, interval: 5m}"],
  ])("refuse in opportune.yml: %s", (_name, yaml) => {
    expect(accepts(project, yaml)).toBe(false);
  });

  test.each([
    ["unknown key", "{chanel: email}"],
    ["bad status", "{status: on}"],
    ["bad repeat", "{repeat: daily}"],
    ["a step without a template", "{steps: [{name: a, channel: email}]}"],
    ["a goal of neither form", "{goal: {audiences: ordered}}"],
  ])("refuse in front matter: %s", (_name, yaml) => {
    expect(accepts(segment, yaml)).toBe(false);
  });

  test("say what each key is for, and its default as people write it", () => {
    const properties = projectJsonSchema().properties;
    const undescribed = Object.entries({ ...properties, ...segmentJsonSchema().properties })
      .filter(([, schema]) => typeof schema === "boolean" || schema.description === undefined)
      .map(([key]) => key);
    expect(undescribed).toEqual([]);
    expect(properties?.["interval"]).toMatchObject({ default: "5 minutes", type: "string" });
  });
});
