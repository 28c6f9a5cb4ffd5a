import { join } from "node:path";

/** Below the project, so that the workers find its packages; ignored by git as all of target/ is. */
export const COMPILED = join(import.meta.dirname, "../../../target/chaos");
