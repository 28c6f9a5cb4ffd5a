import { expect, it } from "vitest";
import { parseDotenv } from "../../src/project/written/dotenv.js";

it.each([
  ["plain", "A=1\nB=2", { A: "1", B: "2" }],
  ["with export", "export A=1\nexport\tB=2", { A: "1", B: "2" }],
  ["exported afterwards", "A=1\nexport A\nB=2\n export A B # both", { A: "1", B: "2" }],
  ["with spaces around", "  A = x y  \nB=2", { A: "x y", B: "2" }],
  ["comments and empty lines", "# c\n\n  # d\nA=1 # e\nB='2' # f", { A: "1", B: "2" }],
  ["a # within a value", "URL=postgres://u:p#w@h/db\nB=2", { URL: "postgres://u:p#w@h/db", B: "2" }],
  ["a value that is a comment", "A=#c\nB= # c\nC=2", { A: "", B: "", C: "2" }],
  ["quotes keep spaces and #", `A=" a # b "\nB=' c # d '\nC=\` "'\``, { A: " a # b ", B: " c # d ", C: ` "'` }],
  ["escapes in double quotes alone", String.raw`A="1\n2\t\"\\\$\d"` + "\n" + String.raw`B='1\n2'`, { A: '1\n2\t"\\$\\d', B: "1\\n2" }],
  ["keys of several lines", "A=\"-----BEGIN\nabc=\n-----END\"\nB='x\ny'\nC=3", { A: "-----BEGIN\nabc=\n-----END", B: "x\ny", C: "3" }],
  ["nothing", 'A=\nB=""\nC=3', { A: "", B: "", C: "3" }],
  ["nothing is expanded", "A=$B${C}\nB=it's", { A: "$B${C}", B: "it's" }],
  ["an = within a value", "A=a=b==", { A: "a=b==" }],
  ["JSON", 'A={"a": "b"}', { A: '{"a": "b"}' }],
  ["one name twice", "A=1\nA=2", { A: "2" }],
  ["names of others", "a.b-c=1\nB=2", { "a.b-c": "1", B: "2" }],
])("%s", (_, text, values) => {
  expect(parseDotenv(text)).toEqual({ values, problems: [] });
});

it.each([
  ["a line without =", "A=1\nsecret\nB=2", { A: "1", B: "2" }, ["2 The line is not NAME=value."]],
  ["YAML", "A: 1\nB=2", { B: "2" }, ["1 The line is not NAME=value."]],
  ["a key without quotes", "A=-----BEGIN\nabc\nB=2", { A: "-----BEGIN", B: "2" }, ["2 The line is not NAME=value."]],
  ["an open quote", 'A=1\nB="abc\nC=2', { A: "1", C: "2" }, ["2 The value of B has no closing quote."]],
  ["text after a quote", "A='a' b\nB=2", { B: "2" }, ["1 Text follows the closing quote of A."]],
])("%s is refused by its line, and what follows is read", (_, text, values, said) => {
  const parsed = parseDotenv(text);
  expect(parsed.values).toEqual(values);
  expect(parsed.problems.map(({ line, message }) => `${String(line)} ${message}`)).toEqual(said);
  expect(JSON.stringify(parsed.problems)).not.toMatch(/secret|abc/);
});
