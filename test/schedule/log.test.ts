/** Neither key nor address gets out by a log line, whatever is thrown. */
import { createRequire } from "node:module";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { OpportuneError } from "../../src/core/errors.js";
import { createLog, type Log, type LogLevel } from "../../src/schedule/log.js";

const KEY = "SG.a-key-of-tests.0123456789abcdef";
const PASSWORD = "hunter2-and-more";
const ADDRESS = "ada.lovelace@example.com";
const PHONE = "+49 170 1234567";

class Lines {
  text = "";
  readonly write = (line: string): void => void (this.text += line);
  log = (level: LogLevel = "debug"): Log => createLog(level, this, () => [PASSWORD]);
  get parsed(): Record<string, unknown>[] {
    return this.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** The axios of SendGrid's client. */
const sendGrid = createRequire(createRequire(import.meta.url).resolve("@sendgrid/mail"));
const { AxiosError } = createRequire(sendGrid.resolve("@sendgrid/client"))("axios") as {
  AxiosError: new (message: string, code: string, config: object, request: object) => Error;
};

/** As axios throws it: the whole request hangs on it. */
function refused(): Error {
  const config = {
    headers: { Authorization: `Bearer ${KEY}` },
    data: JSON.stringify({ personalizations: [{ to: [{ email: ADDRESS }] }] }),
  };
  return new AxiosError(`Request for ${ADDRESS} failed: Bearer ${KEY}`, "ERR_BAD_REQUEST", config, { path: "/v3/mail/send" });
}

const leaks = (text: string): string[] => [KEY, "a-key-of-tests", ADDRESS, "lovelace", PHONE, PASSWORD].filter((secret) => text.includes(secret));

describe("a log line", () => {
  it("holds neither key nor address of an error that holds both", () => {
    const bare = new Lines();
    pino({}, bare).error(refused(), "failed");
    expect(leaks(bare.text), "pino alone shows them").toEqual(expect.arrayContaining([KEY, ADDRESS]));

    const lines = new Lines();
    lines.log().error("run_failed", `The run broke off: ${refused().message}`, { error: refused() });
    expect(leaks(lines.text)).toEqual([]);
    expect(lines.parsed).toMatchObject([
      {
        level: "error",
        event: "run_failed",
        message: "The run broke off: Request for [address] failed: Bearer [redacted]",
        problems: [{ code: "unexpected" }],
      },
    ]);
  });

  it("holds none of what a warehouse quotes, nor what hangs on a problem", () => {
    const lines = new Lines();
    const problem = {
      code: "segment/query",
      message: `invalid input syntax: "${ADDRESS}", ${PHONE}; password ${PASSWORD}`,
      hint: `Ask <${ADDRESS}>.`,
      file: "segments/cart.sql",
      line: 3,
      config: { Authorization: KEY },
    };
    lines.log().error("run_failed", "The run broke off.", { problems: [problem] });
    lines.log().error("run_failed", "The run broke off.", { error: new OpportuneError(problem) });
    expect(leaks(lines.text)).toEqual([]);
    const shown = { code: "segment/query", message: 'invalid input syntax: "[address]", [address]; password [redacted]', file: "segments/cart.sql", line: 3 };
    expect(lines.parsed).toMatchObject([{ problems: [shown] }, { problems: [shown] }]);
  });

  it("shows no field whose name promises a secret, should one ever be added", () => {
    const lines = new Lines();
    lines.log().info("step", "A query is done.", { name: "cart", headers: { Authorization: KEY }, to: ADDRESS, config: { data: ADDRESS } } as object);
    expect(leaks(lines.text)).toEqual([]);
    expect(lines.parsed).toMatchObject([{ name: "cart", headers: "[redacted]", to: "[redacted]" }]);
  });

  it("is left out below its level", () => {
    const lines = new Lines();
    lines.log("warn").info("started", "Started.");
    expect(lines.text).toBe("");
  });
});
