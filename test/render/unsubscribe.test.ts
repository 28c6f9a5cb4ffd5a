import { describe, expect, it } from "vitest";
import { signUnsubscribeToken, unsubscribeUrl, verifyUnsubscribeToken, type UnsubscribeClaim } from "../../src/render/unsubscribe.js";

const claim: UnsubscribeClaim = { messageId: "0f1e", channel: "email", topic: "carts", userId: "ü-1\n" };

describe("unsubscribe tokens", () => {
  it.each([claim, { ...claim, topic: null }, { ...claim, userId: "x".repeat(500) }])("say what was signed", (each) => {
    const token = signUnsubscribeToken(each, "secret");
    expect(token).toMatch(/^[\w-]+\.[\w-]{43}$/);
    expect(verifyUnsubscribeToken(token, "secret")).toEqual(each);
  });

  it("are worthless with any character changed, added or left out, or with another secret", () => {
    const token = signUnsubscribeToken(claim, "secret");
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === "A" ? "B" : "A";
      expect(verifyUnsubscribeToken(token.slice(0, at) + other + token.slice(at + 1), "secret"), `changed at ${at}`).toBeNull();
      expect(verifyUnsubscribeToken(token.slice(0, at) + token.slice(at + 1), "secret"), `left out at ${at}`).toBeNull();
    }
    for (const bad of ["", ".", "a.b", `${token}=`, `${token}.x`, `${token}A`, "x".repeat(1_000_000)]) expect(verifyUnsubscribeToken(bad, "secret")).toBeNull();
    expect(verifyUnsubscribeToken(token, "Secret")).toBeNull();
    expect(verifyUnsubscribeToken(token, "")).toBeNull();
    expect(() => signUnsubscribeToken(claim, "")).toThrow("empty");
  });

  it("swapping payloads between tokens does not work", () => {
    const [a, b] = [signUnsubscribeToken(claim, "s"), signUnsubscribeToken({ ...claim, userId: "other" }, "s")];
    expect(verifyUnsubscribeToken(`${b.split(".")[0]}.${a.split(".")[1]}`, "s")).toBeNull();
  });

  it("links need an endpoint and a secret", () => {
    const links = { unsubscribeUrl: "https://a.example/u?l=1", unsubscribeSecret: "s", utm: {} };
    expect(unsubscribeUrl(links, claim)).toBe(`https://a.example/u?l=1&token=${signUnsubscribeToken(claim, "s")}`);
    expect(unsubscribeUrl({ ...links, unsubscribeSecret: null }, claim)).toBeNull();
    expect(unsubscribeUrl({ ...links, unsubscribeSecret: "" }, claim)).toBeNull();
    expect(unsubscribeUrl({ ...links, unsubscribeUrl: null }, claim)).toBeNull();
  });
});
