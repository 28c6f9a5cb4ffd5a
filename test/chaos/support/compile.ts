import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { COMPILED } from "./paths.js";
import { printTable } from "./table.js";

/** Makes JavaScript of the workers once, so that hundreds of them start without a compiler; prints the suite's table at the end. */
export function setup(): () => void {
  const source = join(import.meta.dirname, "../worker");
  rmSync(COMPILED, { recursive: true, force: true });
  mkdirSync(COMPILED, { recursive: true });
  for (const file of readdirSync(source)) {
    const { outputText } = ts.transpileModule(readFileSync(join(source, file), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
    });
    writeFileSync(join(COMPILED, file.replace(/\.ts$/, ".js")), outputText);
  }
  writeFileSync(join(COMPILED, "package.json"), '{"type": "module"}\n');
  return () => {
    printTable();
    rmSync(COMPILED, { recursive: true, force: true });
  };
}
