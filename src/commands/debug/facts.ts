import { readText } from "../../project/written/text.js";
import { keysAt, PROJECT_FILE } from "../../project/written/project-file.js";
import { parseYaml } from "../../project/written/yaml-source.js";

/** Names of all targets of a project whose opportune.yml is readable. */
export function targetNames(root: string): string[] {
  const { source } = parseYaml(PROJECT_FILE, readText(root, PROJECT_FILE).text);
  return keysAt(source, source?.value, "targets") ?? [];
}
