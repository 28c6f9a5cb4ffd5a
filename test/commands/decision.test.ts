/** The decision behind a message, as the sandbox's page asks for it. */
import { expect, it } from "vitest";
import { decisionReader } from "../../src/commands/shared/decision.js";
import { openTerminal } from "../../src/commands/shared/terminal.js";
import { MINUTE, Shop, T0 } from "../support/run-shop.js";

it.each(["duckdb", "postgres"] as const)("is the message's own rows of the ledger, on %s; the warehouse is free in between", async (on) => {
  const shop = await Shop.sending(["ada", "bo"], { on });
  await shop.run(T0);
  const ask = decisionReader(openTerminal({ color: false }), { projectDir: shop.root });
  const [mail] = shop.sandbox.messages({ to: "ada@example.com" });
  const { message_id } = (mail?.body as { personalizations: [{ custom_args: { message_id: string } }] }).personalizations[0].custom_args;
  const event = (name: string): unknown => expect.objectContaining({ event: name, decided_at: "2026-03-02T12:00:00Z" });
  expect(await ask?.(message_id)).toMatchObject({
    schema_version: 1,
    user_id: "ada",
    events: 3,
    journeys: [
      {
        segment: "cart",
        key: "",
        occurred_at: "2026-03-02T11:30:00Z",
        messages: [{ step: "nudge", message_id, channel: "email", events: [event("claimed"), event("sending"), event("accepted")] }],
      },
    ],
  });
  await shop.run(T0 + 5 * MINUTE);
  await expect(ask?.("0cc175b9c0f1b6a831c399e269772661")).rejects.toThrow('The ledger of target dev knows no message "0cc175b9c0f1b6a831c399e269772661".');
});
