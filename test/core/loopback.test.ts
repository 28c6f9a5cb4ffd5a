import { expect, it } from "vitest";
import { isLoopback } from "../../src/core/loopback.js";

it.each(["localhost", "LOCALHOST", "127.0.0.1", "127.8.0.255", "::1", "[::1]"])("%s is this machine", (host) => {
  expect(isLoopback(host)).toBe(true);
});

it.each(["", "localhost.example.com", "127.0.0.1.example.com", "127.0.0", "128.0.0.1", "[::1", "::1]", "::2", "0.0.0.0", "my-localhost"])(
  "%j is another, or none",
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
