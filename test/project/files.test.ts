/** What editors, other systems and Kubernetes leave among a project's files, and what becomes of each. */
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { loadProject } from "../../src/project/build/load.js";
import type { Project } from "../../src/project/types.js";
import { loadTemplates } from "../../src/render/templates/load.js";
import { BASE, linesOf, projectFolder, type Files } from "./support.js";

const FILES = ["opportune.yml", "segments/cart.sql", "segments/audiences/ordered.sql", "templates/cart_email.hbs", ".env"] as const;
const ALL: Files = { ...BASE, ".env": "WHO=Ada\n" };

/** What loading project and templates says, one line a problem; none where all is well. */
function said(root: string): string[] {
  const templates = loadTemplates(root).problems;
  try {
    loadProject(root, { env: {} });
    return linesOf(templates);
  } catch (error) {
    if (!(error instanceof OpportuneError)) throw error;
    return [...new Set(linesOf([...error.problems, ...templates]))];
  }
}

function loaded(root: string): { project: Project; segments: string[]; templates: string[] } {
  expect(said(root)).toEqual([]);
  const project = loadProject(root, { env: {} });
  return { project, segments: [...project.segments.keys()], templates: [...loadTemplates(root).templates.keys()] };
}

const textOf = (file: string): string => {
  const content = ALL[file];
  if (typeof content !== "string") throw new Error(`no ${file}`);
  return content;
};

describe.each(FILES)("%s", (file) => {
  const written = (content: string | Uint8Array): string => projectFolder({ ...ALL, [file]: content });
  const plain = textOf(file);

  it.each([
    ["with a byte order mark", `\uFEFF${plain}`],
    ["with CRLF", plain.replaceAll("\n", "\r\n")],
    ["with lone CR", plain.replaceAll("\n", "\r")],
    ["with all three line ends and a mark", `\uFEFF${plain.replace("\n", "\r\n").replace(/\n(?=[^\n]*$)/, "\r")}`],
  ])("%s is read as without", (_, content) => {
    const [before, after] = [loaded(projectFolder(ALL)), loaded(written(content))];
    expect(after.segments).toEqual(before.segments);
    expect(after.templates).toEqual(before.templates);
    // Whatever ended its lines: what a checkout on Windows runs is the same version.
    expect(after.project.segments.get("cart")?.sql).toBe(before.project.segments.get("cart")?.sql);
    expect(after.project.segments.get("cart")?.version).toBe(before.project.segments.get("cart")?.version);
  });

  const begun = plain.split("\n").length;
  const column = (plain.split("\n").at(-1) ?? "").length + 1;
  const latin = Buffer.concat([Buffer.from(plain), Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a])]);
  it.each([
    [
      "in Latin-1",
      latin,
      `${file}:${String(begun)}:${String(column + 3)}: The file is not UTF-8: the byte 0xE9 stands for no character. | Save it as UTF-8, or convert it: \`iconv -f WINDOWS-1252 -t UTF-8 ${file}\`.`,
    ],
    [
      "in UTF-16 LE",
      Buffer.from(`\uFEFF${plain}`, "utf16le"),
      `${file}:1:1: The file is not UTF-8: it begins with the mark of UTF-16. | Save it as UTF-8, or convert it: \`iconv -f UTF-16 -t UTF-8 ${file}\`.`,
    ],
    [
      "in UTF-16 BE",
      Buffer.from(`\uFEFF${plain}`, "utf16le").swap16(),
      `${file}:1:1: The file is not UTF-8: it begins with the mark of UTF-16. | Save it as UTF-8, or convert it: \`iconv -f UTF-16 -t UTF-8 ${file}\`.`,
    ],
    [
      "in UTF-16 without a mark",
      Buffer.from(plain, "utf16le"),
      `${file}:1:2: The file holds the character U+0000, a NUL byte, as in UTF-16 or a damaged file. | Remove it, and save the file as UTF-8.`,
    ],
    [
      "with a NUL",
      `${plain}\0`,
      `${file}:${String(begun)}:${String(column)}: The file holds the character U+0000, a NUL byte, as in UTF-16 or a damaged file. | Remove it, and save the file as UTF-8.`,
    ],
    [
      "with Ctrl-Z",
      `${plain}\x1A`,
      `${file}:${String(begun)}:${String(column)}: The file holds the character U+001A, Ctrl-Z, the end mark of old editors. | Remove it, and save the file as UTF-8.`,
    ],
    [
      "with what a wrong conversion left",
      `${plain}caf\uFFFD`,
      `${file}:${String(begun)}:${String(column + 3)}: The file holds the character U+FFFD, which stands for characters that were lost when it was saved. | Remove it, and save the file as UTF-8.`,
    ],
    [
      "cut off within a character",
      Buffer.from(`${plain}é`).subarray(0, -1),
      `${file}:${String(begun)}:${String(column)}: The file is not UTF-8: the byte 0xC3 stands for no character. | Save it as UTF-8, or convert it: \`iconv -f WINDOWS-1252 -t UTF-8 ${file}\`.`,
    ],
  ])("%s is refused by its place", (_, content, expected) => {
    expect(said(written(content))).toContain(expected);
  });

  it("that the system refuses to read is named with the system's word", () => {
    const root = projectFolder({ ...ALL, [file]: null });
    mkdirSync(join(root, file, ".."), { recursive: true });
    // Opens for everybody, root too, and fails when it is read.
    symlinkSync("/proc/self/mem", join(root, file));
    expect(said(root)).toContain(`${file}: The file can't be read: i/o error (EIO). | Check that it is a file that can be read, or remove it.`);
  });
});

describe("line numbers", () => {
  it.each(["\n", "\r\n", "\r"])("are right with lines that end in %j", (end) => {
    const root = projectFolder({
      ...ALL,
      "opportune.yml": textOf("opportune.yml").replace("name: shop\n", "name: shop\nnmae: 1\n").replaceAll("\n", end),
      "segments/cart.sql": textOf("segments/cart.sql").replace('"carts"', '"crts"').replaceAll("\n", end),
      "templates/cart_email.hbs": `---\nsubject: S\n---\n<p>\n{{mony a}}</p>`.replaceAll("\n", end),
      ".env": `A=1\nnothing\n`.replaceAll("\n", end),
    });
    expect(said(root).map((line) => line.split(": ")[0])).toEqual(
      [".env:2", "opportune.yml:2:1", "segments/cart.sql:10:64", "templates/cart_email.hbs:5:1"].sort(byProject),
    );
  });
});

/** opportune.yml first. */
function byProject(a: string, b: string): number {
  const rank = (line: string): number => (line.startsWith("opportune.yml") ? 0 : 1);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

describe("beside the files", () => {
  it.each([
    "#x.sql#",
    ".#x.sql",
    "x.sql~",
    ".x.sql.swp",
    "4913",
    ".DS_Store",
    "._x.sql",
    "Thumbs.db",
    "desktop.ini",
    "x.sql.orig",
    "x.sql.rej",
    "x.sql.bak",
    "x.sql.part",
  ])("%s is left alone", (name) => {
    const root = projectFolder(ALL);
    for (const folder of ["segments", "segments/audiences"]) writeFileSync(join(root, folder, name), "\0 no text");
    writeFileSync(join(root, "templates", name.replace("sql", "hbs")), "\0 no text");
    expect(loaded(root)).toMatchObject({ segments: ["cart"], templates: ["cart_email"] });
  });

  it("the links by which Emacs locks a file, which lead nowhere, are left alone", () => {
    const root = projectFolder(ALL);
    symlinkSync("ada@laptop.4242:1700000000", join(root, "segments/.#cart.sql"));
    symlinkSync("ada@laptop.4242:1700000000", join(root, "templates/.#cart_email.hbs"));
    expect(loaded(root)).toMatchObject({ segments: ["cart"], templates: ["cart_email"] });
  });

  it.each([
    [
      "cart (1).sql",
      "segments/cart (1).sql:1:1: The file's name makes the segment's id \"cart (1)\"; expected a name of lower-case letters, digits and _, beginning with a letter. | Rename the file, or write id: cart_1 into its front matter.",
    ],
    ["CART.SQL", "segments/CART.SQL: The file's name ends in .SQL, not in .sql. | Rename it: segments/CART.sql."],
    [
      "Cart.sql",
      "segments/cart.sql: The file's name differs from segments/Cart.sql only by capitals; on macOS and Windows both are one file. | Rename one of the two, or remove it.",
    ],
  ])("a copy named %s is refused", (name, expected) => {
    const root = projectFolder(ALL);
    copyFileSync(join(root, "segments/cart.sql"), join(root, "segments", name));
    expect(said(root)).toContain(expected);
  });

  it("two names that differ by how an accent is encoded are refused", () => {
    const root = projectFolder({ ...ALL, "templates/caf\u00e9.hbs": "Hello", "templates/cafe\u0301.hbs": "Hello" });
    expect(said(root)).toEqual([
      "templates/caf\u00e9.hbs: The file's name differs from templates/cafe\u0301.hbs only by how its accents are encoded; on macOS and Windows both are one file. | Rename one of the two, or remove it.",
    ]);
  });

  it("a folder whose name ends in .sql is a folder", () => {
    const root = projectFolder({ ...ALL, "segments/old.sql/second.sql": textOf("segments/cart.sql"), "templates/old.hbs/mail.hbs": "Hello" });
    expect(loaded(root)).toMatchObject({ segments: ["cart", "second"], templates: ["cart_email", "old.hbs/mail"] });
  });

  it.each(["segments", "templates"])("a file named %s is no folder", (name) => {
    const root = projectFolder({ ...ALL, "segments/cart.sql": null, "segments/audiences/ordered.sql": null, "templates/cart_email.hbs": null, [name]: "x" });
    expect(said(root)).toEqual([`${name}: This is a file where a folder is expected. | Move it away, and make a folder of this name.`]);
  });

  it("a folder named .env, as Python's virtual environments are, is no file of variables", () => {
    const root = projectFolder({ ...BASE, ".env/pyvenv.cfg": "home = /usr/bin\n" });
    expect(loaded(root).segments).toEqual(["cart"]);
  });
});

describe("links", () => {
  it("a link that leads nowhere is refused, as its segment would be silent", () => {
    const root = projectFolder(ALL);
    symlinkSync("gone.sql", join(root, "segments/second.sql"));
    symlinkSync("gone.hbs", join(root, "templates/second.hbs"));
    expect(said(root)).toEqual([
      "segments/second.sql: The link leads nowhere. | Mend the link, or remove it.",
      "templates/second.hbs: The link leads nowhere. | Mend the link, or remove it.",
    ]);
  });

  it("a link in a circle is refused: to itself, and to a folder above", () => {
    const root = projectFolder(ALL);
    symlinkSync("self.sql", join(root, "segments/self.sql"));
    symlinkSync("..", join(root, "segments/audiences/up"));
    symlinkSync("../templates", join(root, "templates/again"));
    expect(said(root)).toEqual([
      "segments/audiences/up: The link leads back to a folder that it stands in, so that its files never end. | Remove the link.",
      "segments/self.sql: The file can't be read: too many symbolic links encountered (ELOOP). | Check that it is a file that can be read, or remove it.",
      "templates/again: The link leads back to a folder that it stands in, so that its files never end. | Remove the link.",
    ]);
  });

  it.each(["segments/all", "segments/audiences/all", "templates/all"])("a link to the project or above it is not followed: %s", (link) => {
    for (const up of [".", ".."]) {
      const root = projectFolder({ ...ALL, "target/old.sql": "select", "target/old.SQL.sql/x.hbs": "{{", "old.sql": "select", "old.hbs": "{{" });
      symlinkSync(join(root, up), join(root, link));
      expect(said(root)).toEqual([`${link}: The link leads back to a folder that it stands in, so that its files never end. | Remove the link.`]);
    }
  });

  it("nor where segments/ is itself a link out of the project", () => {
    const root = projectFolder({ ...ALL, "target/old.sql": "select" });
    const elsewhere = projectFolder({});
    renameSync(join(root, "segments"), join(elsewhere, "segments"));
    symlinkSync(join(elsewhere, "segments"), join(root, "segments"));
    symlinkSync(root, join(elsewhere, "segments/all"));
    expect(said(root)).toEqual(["segments/all: The link leads back to a folder that it stands in, so that its files never end. | Remove the link."]);
  });

  it("a link out of the project is followed, to a file and to a folder", () => {
    const elsewhere = projectFolder({ "second.sql": textOf("segments/cart.sql"), "mails/hello.hbs": "Hello" });
    const root = projectFolder(ALL);
    symlinkSync(join(elsewhere, "second.sql"), join(root, "segments/second.sql"));
    symlinkSync(join(elsewhere, "mails"), join(root, "templates/shared"));
    expect(loaded(root)).toMatchObject({ segments: ["cart", "second"], templates: ["cart_email", "shared/hello"] });
  });

  it("a device is no file", () => {
    const root = projectFolder(ALL);
    symlinkSync("/dev/zero", join(root, "segments/second.sql"));
    expect(said(root)).toEqual(["segments/second.sql: This is not a file with text, but a device, pipe or socket. | Remove it."]);
  });

  it("a mounted ConfigMap is read once, and anew after Kubernetes swaps it", () => {
    const root = projectFolder(ALL);
    for (const folder of ["segments", "segments/audiences", "templates"]) mount(join(root, folder));
    const before = loaded(root);
    expect(before).toMatchObject({ segments: ["cart"], templates: ["cart_email"] });
    expect(before.project.audiences.size).toBe(1);
    swap(join(root, "segments"), "cart.sql", (text) => text.replace("10 minutes", "20 minutes"));
    expect(loaded(root).project.segments.get("cart")?.steps[0]?.afterSeconds).toBe(1200);
  });
});

/** Turns a folder into what the kubelet writes: links through `..data` into a folder named by the time. */
function mount(folder: string): void {
  const dated = join(folder, "..2026_03_01_12_00_00.1");
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  mkdirSync(dated);
  for (const { name } of names) {
    renameSync(join(folder, name), join(dated, name));
    symlinkSync(`..data/${name}`, join(folder, name));
  }
  symlinkSync("..2026_03_01_12_00_00.1", join(folder, "..data"));
}

/** Replaces one file's text as the kubelet does: a new folder, and one rename. */
function swap(folder: string, name: string, edit: (text: string) => string): void {
  const [before, after] = [join(folder, "..2026_03_01_12_00_00.1"), join(folder, "..2026_03_01_13_00_00.2")];
  cpSync(before, after, { recursive: true });
  writeFileSync(join(after, name), edit(readFileSync(join(after, name), "utf8")));
  symlinkSync("..2026_03_01_13_00_00.2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  rmSync(before, { recursive: true });
}
