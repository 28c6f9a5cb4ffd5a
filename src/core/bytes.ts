/** Sizes as warehouses bill them: decimal units, and binary ones with an i. */
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** What a size looks like: `10 GB`, `1.5TiB`. */
export const SIZE_PATTERN = /^(\d+(?:\.\d+)?) ?([KMGT]i?B|PB|B)$/;

/** Whole bytes of `500 MB`, `10 GB` or `1.5 TiB`; undefined where the text is none of these or is below one byte. */
export function parseBytes(text: string): number | undefined {
  const [, amount = "", unit = ""] = SIZE_PATTERN.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(amount) * (UNITS[unit] ?? Number.NaN));
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes in decimal units with three digits at most: `1.23 GB`, `0 B`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  // What rounds up to a thousand of one unit is one of the next.
  const digits = Number(value.toPrecision(3));
  return digits >= 1000 && power < units.length - 1 ? `1 ${units[power + 1] ?? ""}` : `${String(digits)} ${units[power] ?? ""}`;
}
