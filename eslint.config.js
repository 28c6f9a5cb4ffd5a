// @ts-check
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * Who may import whom in src/: a folder sees what stands below it, siblings see each other's types alone.
 * commands → run → {segments, arbitration, ledger, render, delivery} → warehouse → channels → core; all see project and core.
 * The registry of providers holds their settings, so whoever sees the project sees it too: their code is loaded where it sends.
 */
const RUN = ["run", "decide", "staged", "claims", "reach"];
const SIBLINGS = ["segments", "arbitration", "ledger", "render", "delivery"];
const ALL = ["cli", "commands", "schedule", "alerts", ...RUN, "report", "server", "lint", ...SIBLINGS, "warehouse", "project", "channels", "core", "version"];
const REGISTRY = ["registry", "sandbox-protocol"];

/** @type {Record<string, { imports: string[], types: string[] }>} Beside their own folder; `types`: with `import type` alone. */
const LAYERS = {
  commands: { imports: ALL.filter((name) => name !== "cli"), types: [] },
  run: { imports: [...RUN, ...SIBLINGS, "warehouse", "project", "channels", "core", "version"], types: [] },
  report: { imports: ["project", "channels", "core", "version"], types: [...RUN, ...SIBLINGS, "lint", "warehouse"] },
  server: { imports: ["project", "channels", "core"], types: [] },
  // Reads what the user wrote, templates as trees; the warehouse is not asked.
  lint: { imports: ["render", "project", "channels", "core"], types: [] },
  // Around the run: they see what it did, and read the ledger.
  schedule: { imports: ["ledger", "project", "channels", "core", "version"], types: [...RUN, "delivery"] },
  alerts: { imports: ["ledger", "project", "channels", "core"], types: [...RUN, "warehouse"] },
  segments: { imports: ["warehouse", "project", "channels", "core"], types: SIBLINGS },
  arbitration: { imports: ["warehouse", "project", "channels", "core"], types: SIBLINGS },
  ledger: { imports: ["warehouse", "project", "channels", "core"], types: SIBLINGS },
  // These two never see a warehouse, its types neither: they take claims and give messages.
  render: { imports: ["project", "channels", "core"], types: SIBLINGS },
  delivery: { imports: ["project", "channels", "core"], types: SIBLINGS },
  warehouse: { imports: ["channels", "core"], types: ["project"] },
  project: { imports: ["channels", "core"], types: [] },
  channels: { imports: ["core"], types: [] },
  core: { imports: [], types: [] },
};

const DRIVERS = ["@duckdb/*", "pg", "pg-cursor", "snowflake-sdk", "@google-cloud/bigquery"];
const SEND_GRID = ["@sendgrid/*"];
const HTTP = ["undici"];

/** @param {string} layer */
function importRule(layer) {
  const { imports, types } = LAYERS[layer] ?? { imports: [], types: [] };
  const others = ALL.filter((name) => name !== layer && !(layer === "run" && RUN.includes(name)));
  const notRegistry = layer === "project" || imports.includes("project") ? `(?!providers/(?:${REGISTRY.join("|")})\\.js$)` : "";
  /** @param {string[]} names */
  const paths = (names) => names.map((name) => `^(?:\\.\\./|\\./)+${name}(?:/${name === "delivery" ? notRegistry : ""}.*|\\.js)$`);
  const forbidden = others.filter((name) => !imports.includes(name) && !types.includes(name));
  const typesAlone = others.filter((name) => types.includes(name) && !imports.includes(name));
  const packages = [
    ...(layer === "warehouse" ? [] : DRIVERS),
    ...(layer === "delivery" ? [] : SEND_GRID),
    ...(["delivery", "core"].includes(layer) ? [] : HTTP),
  ];
  return {
    files: layer === "run" ? RUN.map((name) => `src/${name}.ts`) : [`src/${layer}/**/*.ts`],
    rules: {
      "@typescript-eslint/no-restricted-imports": /** @type {const} */ ([
        "error",
        {
          patterns: [
            ...paths(forbidden).map((regex) => ({ regex, message: `src/${layer} stands below or beside it: see "who may import whom" in eslint.config.js.` })),
            ...paths(typesAlone).map((regex) => ({ regex, allowTypeImports: true, message: `src/${layer} may import its types alone.` })),
            { group: packages, message: "Drivers are imported in src/warehouse alone, providers in src/delivery, undici in src/core/outgoing.ts too." },
          ],
        },
      ]),
    },
  };
}

export default defineConfig(
  globalIgnores(["dist/", "target/", "**/node_modules/"]),
  {
    files: ["**/*.ts", "**/*.js"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["*.js"] }, tsconfigRootDir: import.meta.dirname } },
  },
  {
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      // `return answer(…)` and `void write(…)` say in one line that nothing comes back.
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-meaningless-void-operator": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", destructuredArrayIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Message ids count code points, which is what spreading a text gives.
      "@typescript-eslint/no-misused-spread": "off",
      // Interfaces here are objects of functions, which don't care for `this`; the rule can't see that.
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      eqeqeq: "error",
    },
  },
  { files: ["src/**"], rules: { "no-console": "error" } },
  // A caught error is told apart by an assertion, which the rule doesn't follow.
  { files: ["test/**"], rules: { "@typescript-eslint/no-unsafe-class-instance-assignment": "off" } },
  // Values of unknown shape are told apart by typeof before they become text, which the rule doesn't follow.
  { files: ["src/render/**"], rules: { "@typescript-eslint/no-base-to-string": "off" } },
  ...Object.keys(LAYERS).map(importRule),
);
