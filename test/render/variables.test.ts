import { describe, expect, it } from "vitest";
import { checkTemplate, variablesFor } from "../../src/render/templates/load.js";
import { input, mail, refused, template } from "./fixtures.js";

/** `name!` is required, `name?` is not; with the line in the template when there is one given. */
function found(body: string, front?: string, files?: Readonly<Record<string, string>>): string {
  return template(body, front, files)
    .variables.map(({ name, required }) => `${name}${required ? "!" : "?"}`)
    .join(" ");
}

describe("which columns a template needs", () => {
  it.each([
    ["<p>{{a}} {{a.b}} {{c.d}}</p>", "a! c!"],
    ["<p>{{this.a}} {{./b}}</p>", "a! b!"],
    ["{{#if a}}{{a}}{{/if}}", "a?"],
    ["{{#if a}}{{b}}{{/if}}", "a? b!"],
    ["{{#if a}}x{{else}}{{a}}{{/if}}", "a!"],
    ["{{#unless a}}x{{else}}{{a}}{{/unless}}", "a?"],
    ["{{#unless a}}{{a}}{{/unless}}", "a!"],
    ["{{#if a}}{{a}}{{/if}}{{a}}", "a!"],
    ["{{#if a}}1{{else if b}}{{b}}{{a}}{{/if}}", "a! b?"],
    ["{{#if a.b}}{{a.b}}{{a.c}}{{/if}}", "a?"],
    ["{{#if (and a b)}}{{a}}{{b}}{{c}}{{/if}}", "a? b? c!"],
    ["{{#if (or a b)}}{{a}}{{/if}}", "a! b?"],
    ["{{#if (not a)}}x{{else}}{{a}}{{/if}}", "a?"],
    ["{{#if (not (or (not a) (not b)))}}{{a}}{{b}}{{/if}}", "a? b?"],
    ["{{#if (gt a 5)}}{{a}}{{/if}}", "a?"],
    ['{{#if (eq a "x")}}{{a}}{{/if}}', "a?"],
    ["{{#if (eq a b)}}{{a}}{{/if}}", "a! b?"],
    ["{{#if (eq (and a b) false)}}{{a}}{{/if}}", "a! b?"],
    ["{{#if (gt (number a) 1)}}{{a}}{{/if}}", "a?"],
    ["{{#if (default a b)}}{{a}}{{/if}}", "a! b?"],
    ["{{#each a}}{{b}}{{this.c}}{{@index}}{{/each}}", "a?"],
    ["{{#each a}}{{../b}}{{@root.c}}{{/each}}", "a? b! c!"],
    ["{{#each a as |item i|}}{{item.x}}{{i}}{{b}}{{/each}}{{item}}", "a? item!"],
    ["{{#each a}}{{#each b}}{{../c}}{{../../d}}{{/each}}{{/each}}", "a? d!"],
    ["{{#each a}}{{#if ../b}}{{../b}}{{/if}}{{/each}}", "a? b?"],
    ["{{#each a}}x{{else}}{{b}}{{/each}}", "a? b!"],
    ["{{#with a}}{{b}}{{../c}}{{/with}}", "a? c!"],
    ["{{#with a as |x|}}{{x.y}}{{/with}}{{x}}", "a? x!"],
    ['{{default a "x"}} {{default (upper b) c}}', "a? b? c?"],
    ['{{money a b}} {{plural n "x" "y"}}', "a! b! n!"],
    ["{{this.upper}}", "upper!"],
    [
      "{{user_id}}{{key}}{{occurred_at}}{{as_of}}{{because}}{{unsubscribe_url}}{{message_id}}{{segment}}{{step}}{{variant}}{{project}}{{topic}}{{locale}}{{timezone}}",
      "",
    ],
    ["{{!-- {{a}} --}}", ""],
    ['<a href="https://x.example/{{url a}}">{{{b}}}</a>', "a! b!"],
  ])("%s → %s", (body, expected) => {
    expect(found(`<p></p>${body}`)).toBe(expected);
  });

  it("looks through partials: arguments, contexts, blocks", () => {
    const partials = {
      "partials/p.hbs": "<i>{{x}}</i>{{y}}",
      "partials/ask.hbs": "{{#if x}}{{x}}{{/if}}",
      "partials/up.hbs": "{{#each l}}{{../x}}{{../b}}{{x}}{{/each}}",
      "partials/deep.hbs": "{{x.y}}{{#each l}}{{x}}{{/each}}",
      "partials/box.hbs": "<div>{{> @partial-block}}{{z}}</div>",
    };
    const of = (body: string) => found(`<p></p>${body}`, undefined, partials);
    expect(of("{{> p}}")).toBe("x! y!");
    expect(of("{{> p x=a}}")).toBe("a! y!");
    expect(of('{{> p x="text" y=a.b}}')).toBe("a!");
    expect(of("{{> p x=(money a b)}}")).toBe("a! b! y!");
    expect(of("{{> ask x=a}}")).toBe("a?");
    expect(of("{{> p x=date y=upper.z}}")).toBe("date! upper!");
    expect(of("{{> up x=a}}")).toBe("a! l? b!");
    expect(of("{{> deep x=a}}")).toBe("a! l?");
    expect(of("{{#if a}}{{> p x=a}}{{/if}}")).toBe("a? y!");
    expect(of("{{> p a}}")).toBe("a!");
    expect(of("{{> p this x=a}}")).toBe("a! y!");
    expect(of("{{#each a}}{{> p}}{{> p x=../b}}{{/each}}")).toBe("a? b!");
    expect(of("{{#> box}}{{a}}{{/box}}")).toBe("a! z!");
    expect(of("{{#> box z=1}}{{a}}{{/box}}")).toBe("a!");
  });

  it("reads subject, preheader, sender, body, partial and layout, each with its own place", () => {
    const t = template("<p>{{b}}</p>\n{{> p}}", 'subject: "Hi {{s}}"\npreheader: >-\n  folded\n  {{h}}\nfrom: "{{f}} <a@b.example>"', {
      "partials/p.hbs": "<i>\n{{x}}</i>",
      "layouts/base.hbs": "<html><body>\n\n{{{body}}}<p>{{brand}}</p></body></html>",
    });
    expect(t.variables.map(({ name, file, line, column }) => `${name} ${file}:${line}:${column}`)).toEqual([
      "s templates/t.hbs:2:16",
      "h templates/t.hbs:3:12",
      "f templates/t.hbs:6:10",
      "b templates/t.hbs:8:6",
      "x templates/partials/p.hbs:2:3",
      "brand templates/layouts/base.hbs:3:16",
    ]);
  });

  it("reports the place where a column is needed, not where it is asked for first", () => {
    const [variable] = template("<p>{{#if a}}x{{/if}}\n{{a}}</p>").variables;
    expect(variable).toMatchObject({ required: true, line: 5, column: 3 });
  });

  it("a template of another channel has no layout", () => {
    const files = { "layouts/base.hbs": "<html><body>{{{body}}}{{brand}}</body></html>" };
    const t = template("Hi {{a}}", 'subject: "{{s}}"', files);
    expect(t.kind).toBe("text");
    expect(t.variables.map(({ name }) => name)).toEqual(["s", "a"]);
    expect(variablesFor(t, "email").map(({ name }) => name)).toEqual(["s", "a", "brand"]);
    expect(checkTemplate(t, "email")).toEqual([]);
    expect(mail(t, input({ a: "<b>", s: "S", brand: "B" })).html).toContain("Hi &lt;b&gt;B");
  });

  it("what is not required never fails for null, and what is required always does", () => {
    const body = '<p>{{#if a}}{{a}}{{/if}}{{#each l}}{{this}}{{/each}}{{default d "-"}}{{n}}</p>';
    const t = template(body);
    expect(mail(t, input({ a: null, l: null, d: null, n: 0 })).text).toBe("-0");
    for (const { name, required } of t.variables)
      if (required) expect(refused(t, input({ a: 1, l: [1], d: 1, n: 1, [name]: null }))).toContain(`"${name}" is null`);
  });
});
