import { expect, it } from "vitest";
import { formatBytes, parseBytes } from "../../src/core/bytes.js";

it.each([
  ["1 B", 1],
  ["500 MB", 500_000_000],
  ["1.5TB", 1_500_000_000_000],
  ["10 GB", 10_000_000_000],
  ["10 GiB", 10_737_418_240],
  ["2 PB", 2_000_000_000_000_000],
])("%s is %d bytes", (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

it.each(["", "10", "GB", "0 GB", "0.1 B", "-1 GB", "1e3 GB", "10 gb", "10 GBs", "99999 PB", "1 PiB"])("%j is no size", (text) => {
  expect(parseBytes(text)).toBeUndefined();
});

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1 KB"],
  [999_999, "1 MB"],
  [1_234_567, "1.23 MB"],
  [12_345_678_901, "12.3 GB"],
  [3.5e15, "3.5 PB"],
  [2_000_000e15, "2000000 PB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
