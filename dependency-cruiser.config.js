// @ts-check
/**
 * Who may import whom in src/, types included: a folder sees what stands below it, siblings see each other's types alone, and
 * nothing imports itself in a circle.
 * The rows of the reasons are plain data, which the ledger, reports and pages read too.
 * commands → run → {segments, arbitration, ledger, render, delivery} → warehouse → project → channels → core.
 */
const SIBLINGS = ["segments", "arbitration", "ledger", "render", "delivery"];

/** @type {Record<string, { imports: string[], types?: string[], outside?: string }>} Beside their own folder; `types`: with `import type` alone; `outside`: a folder in it that is a layer of its own. */
const LAYERS = {
  commands: {
    imports: ["run", "report", "pages", "server", "schedule", "alerts", ...SIBLINGS, "warehouse", "project/checks", "project", "channels", "core", "version"],
  },
  run: { imports: [...SIBLINGS, "warehouse", "project", "channels", "core", "version"] },
  // Around the run: they see what it did, and read the ledger.
  schedule: { imports: ["ledger", "project", "channels", "core", "version"], types: ["run", "delivery"] },
  alerts: { imports: ["ledger", "project", "channels", "core"], types: ["run", "warehouse"] },
  report: {
    imports: ["arbitration/reasons", "project", "delivery/providers/registry", "channels", "core", "version"],
    types: ["run", ...SIBLINGS, "warehouse", "project/checks"],
  },
  pages: { imports: ["arbitration/reasons", "report", "project", "channels", "core"], types: SIBLINGS },
  server: { imports: ["project", "delivery/providers/registry", "channels", "core"], types: ["delivery/providers/sandbox-protocol"] },
  segments: { imports: ["warehouse", "project", "channels", "core"], types: SIBLINGS },
  arbitration: { imports: ["warehouse", "project", "channels", "core"], types: SIBLINGS },
  ledger: { imports: ["warehouse", "arbitration/reasons", "project", "channels", "core"], types: SIBLINGS },
  // These two never see a warehouse, its types neither: they take claims and give messages.
  render: { imports: ["project", "channels", "core"], types: SIBLINGS },
  delivery: { imports: ["delivery/providers", "project", "channels", "core"], types: SIBLINGS, outside: "delivery/providers" },
  // Their settings are part of opportune.yml: the project sees the registry, and their code is loaded where it sends.
  "delivery/providers": { imports: ["project/schema/fields", "channels", "core"], types: ["delivery"] },
  warehouse: { imports: ["project/targets", "channels", "core"], types: ["project"] },
  // Reads what the user wrote, templates as trees; the warehouse is not asked.
  "project/checks": { imports: ["render", "project", "delivery/providers/registry", "channels", "core"] },
  project: { imports: ["delivery/providers/registry", "channels", "core"], outside: "project/checks" },
  channels: { imports: ["core"] },
  core: { imports: [] },
};

/** @param {string} name A folder of src, or a file without its ending. */
const under = (name) => `^src/${name}(/|\\.ts$)`;

/** @param {string[]} packages */
const packed = (packages) => `(^|node_modules/)(${packages.join("|")})(/|$)`;

/** @param {string} layer */
function ruleOf(layer) {
  const { imports, types = [], outside } = LAYERS[layer] ?? { imports: [] };
  const own = { path: under(layer), ...(outside === undefined ? {} : { pathNot: under(outside) }) };
  /** @param {string[]} names */
  const others = (names) => ({
    path: "^src/",
    pathNot: [...names.map(under), ...(outside === undefined ? [under(layer)] : [`^src/${layer}/(?!${outside.slice(layer.length + 1)}/)`])],
  });
  return [
    {
      name: `${layer}-imports`,
      comment: `src/${layer} stands below or beside what it imports: see "who may import whom" in dependency-cruiser.config.js.`,
      severity: "error",
      from: own,
      to: others([...imports, ...types]),
    },
    ...(types.length === 0
      ? []
      : [
          {
            name: `${layer}-types`,
            comment: `src/${layer} may import its types alone.`,
            severity: "error",
            from: own,
            to: { path: types.map(under), pathNot: [layer, ...imports].map(under), dependencyTypesNot: ["type-only"] },
          },
        ]),
  ];
}

/**
 * @param {string} name
 * @param {string[]} packages
 * @param {string[]} homes
 */
const kept = (name, packages, homes) => ({
  name,
  comment: "Drivers are imported in src/warehouse alone, providers' in their folders, undici in src/delivery/providers/http and src/core/outgoing.ts.",
  severity: "error",
  from: { path: "^src/", pathNot: homes },
  to: { path: packed(packages) },
});

export default {
  forbidden: [
    {
      name: "no-circle",
      comment: "What imports itself in a circle can't be read from the ground up.",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
    ...Object.keys(LAYERS).flatMap(ruleOf),
    {
      name: "layer",
      comment: "Each file of src/ belongs to a layer of dependency-cruiser.config.js.",
      severity: "error",
      from: { path: "^src/", pathNot: [...Object.keys(LAYERS), "cli", "index", "version"].map(under) },
      to: {},
    },
    { name: "entry", comment: "Nothing imports the entries.", severity: "error", from: {}, to: { path: "^src/(cli|index)\\.ts$" } },
    kept("drivers", ["@duckdb", "pg", "pg-cursor", "snowflake-sdk", "@google-cloud/bigquery"], ["^src/warehouse/"]),
    kept("providers", ["@sendgrid"], ["^src/delivery/providers/sendgrid/"]),
    kept("http", ["undici"], ["^src/delivery/providers/http/", "^src/core/"]),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^src/server/page/" },
    tsConfig: { fileName: "tsconfig.json" },
  },
};
