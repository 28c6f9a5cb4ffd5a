/** What every provider says of itself holds together, whichever it is. */
import { describe, expect, it } from "vitest";
import { anyChannel, providedBy, providerKind, PROVIDER_KINDS, sandboxChannels } from "../../../src/delivery/providers/registry.js";
import { COMMON_KEYS } from "../../../src/delivery/providers/schema.js";
import { routeOf } from "../../../src/delivery/route.js";
import { startSandbox } from "../../../src/server/sandbox/sandbox.js";
import { message } from "../fixtures.js";

const names = PROVIDER_KINDS.map(({ name }) => name);

it("names each provider once", () => {
  expect(names).toEqual([...new Set(names)]);
});

describe.each(names)("%s", (name) => {
  const kind = providerKind(name);
  const keys = Object.keys(kind.schema.shape);

  it("has every common key, and those that it calls secret, idle or an example", () => {
    expect(keys).toEqual(expect.arrayContaining([...COMMON_KEYS, ...kind.secretKeys, ...kind.idleKeys, ...Object.keys(kind.example)]));
  });

  it("takes its example, sees nothing amiss, and shows its secrets by their keys", () => {
    const written = anyChannel.parse({ provider: name, ...kind.example });
    expect(kind.misfits("channels.email", written)).toEqual([]);
    const { provider, settings } = providedBy(written);
    expect(provider).toBe(name);
    expect(Object.keys(kind.secrets(settings))).toEqual(kind.secretKeys);
    expect(kind.facts(settings).key).toBe(true);
  });
});

it("a channel without its key is known by it", () => {
  const { settings } = providedBy(anyChannel.parse({ provider: "sendgrid" }));
  expect(providerKind("sendgrid").facts(settings)).toEqual({ place: "https://api.sendgrid.com", key: false });
});

it.each([...sandboxChannels("http://127.0.0.1:1").keys()])("the sandbox's channel of type %s is taken there, whatever the target", async (type) => {
  const sandbox = await startSandbox({ port: 0 });
  try {
    const written = anyChannel.parse(sandboxChannels(sandbox.url).get(type));
    const channel = { ...providedBy(written), name: type, inFlight: 1 };
    expect(routeOf("ada@example.com", channel, { live: false, allow: [] }, true)).toBe("provider");
    const provider = await providerKind(channel.provider).open?.(channel, { compareClocks: false });
    expect(await provider?.send(message(), new AbortController().signal)).toMatchObject({ kind: "accepted" });
    await provider?.close();
  } finally {
    await sandbox.close();
  }
});
