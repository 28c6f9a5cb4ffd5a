import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readToken, signToken, unsubscribeUrl } from "../../src/render/html/unsubscribe.js";

const ID = "0cc175b9c0f1b6a831c399e269772661";

describe("unsubscribe tokens", () => {
  it.each([ID, "preview_1b4e28ba-2fa1-11d2-883f-0016d3cca427"])("say the message's id, and nothing else", (id) => {
    const token = signToken(id, "secret");
    expect(token).toMatch(/^[\w-]+\.[\w-]{43}$/);
    expect(token.split(".")[0]).toBe(id);
    expect(readToken(token, "secret")).toBe(id);
  });

  it("are worthless with any character changed, added or left out, or with another secret", () => {
    const token = signToken(ID, "secret");
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === "A" ? "B" : "A";
      expect(readToken(token.slice(0, at) + other + token.slice(at + 1), "secret"), `changed at ${at}`).toBeNull();
      expect(readToken(token.slice(0, at) + token.slice(at + 1), "secret"), `left out at ${at}`).toBeNull();
    }
    expect(readToken(token, "Secret")).toBeNull();
    expect(readToken(token, "")).toBeNull();
    expect(() => signToken(ID, "")).toThrow("empty");
    expect(() => signToken("a.b", "secret")).toThrow("letters");
  });

  it("are null for whatever a request may bring, and never throw", () => {
    const token = signToken(ID, "secret");
    const signature = token.split(".")[1] ?? "";
    const odd = ["", ".", "..", "a.b", `${token}=`, `${token}.x`, `${token}A`, "x".repeat(1_000_000), `é.${signature}`, `${ID}.${"é".repeat(43)}`];
    const others = [undefined, null, 5, [token], { token }, `${ID}.${signature.slice(0, 42)}é`, `\ud800.${signature}`, `${ID}\0.${signature}`];
    const bytes = Array.from({ length: 500 }, () => randomBytes(40).toString("latin1"));
    for (const bad of [...odd, ...others, ...bytes]) expect(readToken(bad, "secret"), JSON.stringify({ bad }).slice(0, 100)).toBeNull();
  });

  it("links need an endpoint and a secret", () => {
    const links = { unsubscribeUrl: "https://a.example/u?l=1", unsubscribeSecret: "s", utm: {} };
    expect(unsubscribeUrl(links, ID)).toBe(`https://a.example/u?l=1&token=${signToken(ID, "s")}`);
    expect(unsubscribeUrl({ ...links, unsubscribeSecret: null }, ID)).toBeNull();
    expect(unsubscribeUrl({ ...links, unsubscribeSecret: "" }, ID)).toBeNull();
    expect(unsubscribeUrl({ ...links, unsubscribeUrl: null }, ID)).toBeNull();
  });
});
