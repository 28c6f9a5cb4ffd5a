import { describe, expect, it } from "vitest";
import { isLoopback } from "../../src/core/loopback.js";

describe("isLoopback", () => {
  it.each(["http://127.0.0.1:4010", "http://127.1", "http://localhost:1", "http://[::1]:4010/base", "https://127.9.9.9"])("%s is this machine", (url) => {
    expect(URL.canParse(url) && isLoopback(new URL(url).hostname)).toBe(true);
  });
  it.each([
    "https://api.sendgrid.com",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.1@evil.example",
    "http://localhost.evil.example",
    "http://10.0.0.1",
    "http://0.0.0.0",
    "nonsense",
    "",
  ])("%j is not", (url) => {
    expect(URL.canParse(url) && isLoopback(new URL(url).hostname)).toBe(false);
  });
});
