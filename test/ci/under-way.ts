/** Tells .ci/functions what Vitest is doing, so that a suite that hangs says where: a reporter. */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** What every suite of .ci/run writes; a line for each file and test under way, in the order in which they began. */
export default class UnderWay implements Reporter {
  readonly #path = process.env["UNDER_WAY"];
  readonly #lines = new Map<string, string>();

  onInit(): void {
    this.#begin("setup", "the set-up of the suite");
  }

  onTestRunStart(): void {
    this.#end("setup");
  }

  onTestModuleQueued(file: TestModule): void {
    this.#begin(file.id, fileOf(file));
  }

  onTestModuleEnd(file: TestModule): void {
    this.#end(file.id);
  }

  onTestCaseReady(test: TestCase): void {
    this.#begin(test.id, `${fileOf(test.module)} > ${test.fullName}`);
  }

  onTestCaseResult(test: TestCase): void {
    this.#end(test.id);
  }

  onTestRunEnd(): void {
    this.#begin("end", "the end of the suite");
  }

  #begin(id: string, what: string): void {
    this.#lines.set(id, `${new Date().toISOString().slice(11, 19)} ${what}`);
    this.#write();
  }

  #end(id: string): void {
    this.#lines.delete(id);
    this.#write();
  }

  #write(): void {
    if (this.#path !== undefined) writeFileSync(this.#path, [...this.#lines.values(), ""].join("\n"));
  }
}

function fileOf({ moduleId }: TestModule): string {
  return relative(process.cwd(), moduleId);
}
