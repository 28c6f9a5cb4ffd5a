import { expect, it } from "vitest";
import { isLoopback } from "../../src/core/loopback.js";

it.each(["localhost", "LOCALHOST", "127.0.0.1", "127.8.0.255", "::1", "[::1]"])("%s is this machine", (host) => {
  expect(isLoopback(host)).toBe(true);
});

it.each(["http://127.0.0.1:4010", "http://127.1", "http://localhost:1", "http://[::1]:4010/base", "https://127.9.9.9"])("%s is on this machine", (url) => {
  expect(isLoopback(new URL(url).hostname)).toBe(true);
});

it.each([
  ...["", "nonsense", "localhost.example.com", "127.0.0.1.example.com", "127.0.0", "128.0.0.1", "10.0.0.1", "[::1", "::1]", "::2", "0.0.0.0", "my-localhost"],
  ...["http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example", "http://localhost.evil.example"].map((url) => new URL(url).hostname),
])("%j is another, or none", (host) => {
  expect(isLoopback(host)).toBe(false);
});
