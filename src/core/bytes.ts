const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"];

/** `1.5 GB`: units of 1,000, three digits. */
export function formatBytes(bytes: number): string {
  const at = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${String(Number((bytes / 1000 ** at).toPrecision(3)))} ${UNITS[at] ?? ""}`;
}
