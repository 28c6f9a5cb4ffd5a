/** What was measured, and how it is told. */

export interface Figure {
  warehouse: string;
  name: string;
  value: number;
  unit: string;
  /** What it is told with: each run's own value, and the load of the machine (1 minute) when it was measured. */
  runs: readonly number[];
  load: number;
  /** What bounds it, measured in the same run. */
  limit: { what: string; value: number } | null;
  /** The value over its limit. */
  ratio: number | null;
  aim: { of: "value" | "ratio"; at: "most" | "least"; amount: number; met: boolean } | null;
}

export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

export interface Asked {
  aim?: readonly [of: "value" | "ratio", at: "most" | "least", amount: number];
  limit?: { what: string; values: readonly number[] };
}

/** A figure of several runs: medians, and the median of each run's own ratio. */
export function figure(warehouse: string, name: string, unit: string, values: readonly number[], load: number, { aim, limit }: Asked = {}): Figure {
  const value = median(values);
  const ratio = limit === undefined ? null : median(values.map((one, i) => one / (limit.values[i] ?? NaN)));
  const judged = (of: "value" | "ratio"): number => (of === "value" ? value : (ratio ?? NaN));
  return {
    warehouse,
    name,
    value,
    unit,
    runs: values,
    load,
    limit: limit === undefined ? null : { what: limit.what, value: median(limit.values) },
    ratio,
    aim: aim === undefined ? null : { of: aim[0], at: aim[1], amount: aim[2], met: aim[1] === "most" ? judged(aim[0]) <= aim[2] : judged(aim[0]) >= aim[2] },
  };
}

function number(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : value >= 100 ? value.toFixed(0) : value.toFixed(2);
}

export function line({ name, value, unit, runs, load, limit, ratio, aim }: Figure): string {
  const parts = [`  ${name.padEnd(52)} ${number(value).padStart(8)} ${unit.padEnd(10)}`];
  if (limit !== null) parts.push(`${limit.what} ${number(limit.value)}, ratio ${(ratio ?? NaN).toFixed(2)}`);
  if (aim !== null) parts.push(`${aim.of === "ratio" ? "ratio " : ""}at ${aim.at} ${number(aim.amount)}: ${aim.met ? "met" : "MISSED"}`);
  parts.push(`(${runs.map(number).join(" ")}; load ${load.toFixed(1)})`);
  return parts.join("  ");
}
