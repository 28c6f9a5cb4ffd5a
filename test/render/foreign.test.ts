/** Emails of other people's kind: nothing is lost of them but what inlining moves, and nothing hidden stands in the text. */
import { parse, type DefaultTreeAdapterTypes as Tree } from "parse5";
import { describe, expect, it } from "vitest";
import { foreign, NAMES } from "../support/foreign-templates.js";

/** Everything that a parser finds, in order: doctype, elements with their attributes, comments, text. Not `<style>` and `style`. */
function contents(node: Tree.Node, into: string[] = []): string[] {
  if ("publicId" in node) into.push(`doctype ${node.name} ${node.publicId}`);
  if ("data" in node) into.push(`comment ${node.data}`);
  if ("value" in node && node.value.trim() !== "") into.push(`text ${node.value.replaceAll(/\s+/g, " ").trim()}`);
  if ("attrs" in node) {
    if (node.tagName === "style") return into;
    const own = node.attrs.filter(({ name, value }) => name !== "style" && !(node.tagName === "div" && name === "data-preheader" && value === ""));
    into.push(`<${node.tagName}${own.map(({ prefix, name, value }) => ` ${prefix ?? ""}${name}=${JSON.stringify(value)}`).join("")}>`);
  }
  for (const child of "childNodes" in node ? node.childNodes : []) contents(child, into);
  return into;
}

const declarations = (style: string): string[] =>
  style
    .split(";")
    .map((one) => one.replaceAll(/\s+/g, "").replaceAll('"', "'"))
    .filter(Boolean);

/** Every element's own style, in order. */
function styles(node: Tree.Node, into: string[][] = []): string[][] {
  if ("attrs" in node && node.tagName !== "style") into.push(declarations(node.attrs.find(({ name }) => name === "style")?.value ?? ""));
  for (const child of "childNodes" in node ? node.childNodes : []) styles(child, into);
  return into;
}

/** Contents without the reader's language, which every email gets. */
function told(html: string): string[] {
  return contents(parse(html)).map((line) => (line.startsWith("<html") ? line.replace(' lang="en-GB"', "").replace(' dir="ltr"', "") : line));
}

describe.each(NAMES)("%s", (name) => {
  const { before, after, text, eachTime } = foreign(name);
  const sent = after.replace(/<div data-preheader[^]*?<\/div>/, "");

  it("loses no element, attribute, comment or word", () => {
    expect(told(sent)).toEqual(told(before));
    // Each has its reason why its CSS is inlined for each message: one counts rows, three leave end tags out.
    expect(eachTime === null).toBe(!["tables", "arabic", "capitals", "letter"].includes(name));
  });

  it("keeps each element's own styles", () => {
    const now = styles(parse(sent));
    for (const [index, own] of styles(parse(before)).entries()) expect(now[index]).toEqual(expect.arrayContaining(own));
  });

  it("keeps each rule that no attribute can hold", () => {
    const kept = before.match(
      /@(?:media|font-face|supports|import|keyframes)[^{;]*|[^\n{}]*(?::hover|::[a-z-]+|:root|:visited|data-ogs[bc]|ExternalClass|#outlook|u \+ |moz-text-html)[^\n{]*/g,
    );
    for (const rule of kept ?? []) expect(after).toContain(rule.trim());
  });

  it("has no hidden word in its text", () => {
    expect(text).not.toMatch(/unseen|only in outlook|\u034f/i);
    expect(text.split("\n").filter((line) => /^[\s\p{Cf}]+$/u.test(line))).toEqual([]);
    expect(text.length).toBeGreaterThan(30);
  });
});

it("one is 100 KB", () => {
  expect(Buffer.byteLength(foreign("large").after)).toBeGreaterThan(100_000);
});
