import type { ChildProcess } from "node:child_process";

/** Ends the child when this process ends, however that comes about, and before folders are removed: nothing goes on by itself. */
export function endWithUs<T extends ChildProcess>(child: T): T {
  const end = (): void => {
    child.kill("SIGKILL");
  };
  process.prependOnceListener("exit", end);
  child.once("exit", () => process.off("exit", end));
  return child;
}
