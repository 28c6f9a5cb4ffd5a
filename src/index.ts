/** What code of yours may import: `import { readToken } from "opportune"`. */
export { readToken } from "./render/html/unsubscribe.js";
