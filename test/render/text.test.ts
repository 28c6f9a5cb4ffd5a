import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderText } from "../../src/render/render.js";
import type { Template } from "../../src/render/templates/types.js";
import { input, load, message, problemsOf } from "./fixtures.js";

function textTemplate(text: string, files: Readonly<Record<string, string>> = {}): Template {
  const { templates, problems } = load({ "t.hbs": text, ...files });
  const found = templates.get("t");
  if (found === undefined) throw new Error(JSON.stringify(problems));
  return found;
}

describe("text messages", () => {
  it("are not escaped, keep line breaks, and lose other control characters", () => {
    const t = textTemplate('---\nsubject: "For {{name}}"\n---\nHi {{name}},\n{{#if total}}{{money total "EUR"}}{{/if}} {{> sign by=name}}\n', {
      "partials/sign.hbs": "-- {{by}}",
    });
    expect(t.kind).toBe("text");
    expect(message(t, input({ name: "O'Neil & <b>\u0000\r\u001b", total: "5.00" }))).toEqual({
      subject: "For O'Neil & <b>",
      text: "Hi O'Neil & <b>,\n€5.00 -- O'Neil & <b>",
      json: null,
    });
  });

  it("answer with the reason when something is missing or nothing is left", () => {
    expect(renderText(textTemplate("\nHi {{name}}"), input({}))).toEqual({
      ok: false,
      reason: 'templates/t.hbs:2:6: "name" is missing from the segment\'s columns',
    });
    expect(renderText(textTemplate("{{#if name}}x{{/if}}"), input({ name: null }))).toEqual({ ok: false, reason: "templates/t.hbs: the text is empty" });
  });

  it("an SMS may begin with a bracket", () => {
    expect(message(textTemplate("[Shop] Hi {{name}}"), input({ name: "A" })).text).toBe("[Shop] Hi A");
  });
});

describe("JSON bodies", () => {
  const t = (): Template =>
    textTemplate(
      '---\nsubject: "T {{a}}"\n---\n{\n  "title": "Hi {{a}}",\n  "n": 1.5, "flag": true, "none": null,\n  "list": ["{{b}}", {"deep": "{{#if c}}{{c}}{{else}}-{{/if}}"}],\n  "plain": "a\\"b \\u00e9"\n}\n',
    );

  it("are rendered string by string and then serialised: no value can break out", () => {
    const nasty = '", "admin": true, "x": "\\\n\u2028';
    const { json, text, subject } = message(t(), input({ a: nasty, b: "<&'>", c: null }));
    expect(json).toEqual({ title: `Hi ${nasty}`, n: 1.5, flag: true, none: null, list: ["<&'>", { deep: "-" }], plain: 'a"b é' });
    expect(JSON.parse(text)).toEqual(json);
    expect(subject).toBe('T ", "admin": true, "x": "\\');
  });

  it("know their variables by line and column", () => {
    expect(t().variables.map(({ name, line, column, required }) => `${name}:${line}:${column}:${required}`)).toEqual([
      "a:2:15:true",
      "b:7:15:true",
      "c:7:37:false",
    ]);
  });

  it("are checked at load", () => {
    expect(problemsOf({ "t.hbs": '{"a": 1,\n "b": {{x}}}' })).toEqual(["templates/t.hbs:2 template/json"]);
    expect(problemsOf({ "t.hbs": '{"{{k}}": "x"}' })).toEqual(["templates/t.hbs:1:2 template/json"]);
    expect(problemsOf({ "t.hbs": '{"a":\n "{{mony x}}"}' })).toEqual(["templates/t.hbs:2:3 template/unknown-helper"]);
  });
});

it("is documented by an example that renders", () => {
  const document = readFileSync(new URL("../../docs/segments.md", import.meta.url), "utf8");
  const body = /<!-- a JSON template -->\s*```json\n([^]*?)```/.exec(document)?.[1] ?? "";
  const { templates, problems } = load({ "t.hbs": body });
  const t = templates.get("t");
  if (t === undefined) throw new Error(JSON.stringify(problems));
  expect(message(t, input({ first_name: null, cart_id: 'c"1', total: "12.5", code: null })).text).toBe(
    '{"title":"Your cart, there","badge":1,"data":{"cart":"c\\"1","total":"€12.50","code":""}}',
  );
});
