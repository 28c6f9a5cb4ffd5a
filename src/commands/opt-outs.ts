/** Opt-outs that hold nobody back, as the project stands: under a name that it doesn't have, or of nobody. */
import type { Problem } from "../core/errors.js";
import type { Ledger } from "../ledger/ledger.js";
import { heededSql } from "../ledger/trial.js";
import { addressColumn } from "../project/build/treatments.js";
import type { Project } from "../project/types.js";
import { canonicalUser } from "../warehouse/canonical.js";
import { literal } from "../warehouse/dialect.js";
import { Binder, textList } from "../warehouse/sql.js";
import type { Statement } from "../warehouse/types.js";
import { addressProblem } from "../segments/address.js";
import { LONGEST_ID_BYTES } from "../segments/ids.js";

type Why = "channel" | "topic" | "address" | "user";

/** Kinds of findings named at most: of names there may be as many as there are rows. */
const MOST = 20;

/** One problem for each kind of rows in `suppressions` and `preferences` that can match nobody, with how many there are. */
export async function idleOptOuts(project: Project, ledger: Ledger, trial: boolean): Promise<Problem[]> {
  const rows = await ledger.query(idleStatement(project, ledger, trial));
  return rows.map((row) => problemOf(row["is_of"] as "suppressions" | "preferences", row["why"] as Why, String(row["called"] ?? ""), Number(row["n"])));
}

function idleStatement(project: Project, ledger: Ledger, trial: boolean): Statement {
  const { dialect } = ledger;
  const binder = new Binder(dialect);
  const list = (names: readonly string[]): string => (names.length === 0 ? "('')" : textList(names, binder));
  const nobody = (id: string): string => `coalesce(${canonicalUser(id, dialect)}, '') = '' or ${dialect.byteLength(id)} > ${String(LONGEST_ID_BYTES)}`;
  const wrongAddress = [...project.channels.keys()].map((channel) => {
    const kind = addressColumn(project, channel);
    return `when ${literal(channel)} then ${kind === "user_id" ? nobody("address") : addressProblem(kind, "address", dialect, binder)}`;
  });
  const context = {
    channels: list([...project.channels.keys()]),
    topics: list([...new Set([...project.segments.values()].flatMap(({ topic }) => topic ?? []))]),
    wrong_address: wrongAddress.length === 0 ? "1 = 0" : `case channel ${wrongAddress.join(" ")} else false end`,
    nobody: nobody("user_id"),
    heeded: heededSql(trial),
    most: String(MOST),
  };
  return ledger.file("idle_opt_outs.sql", context, binder);
}

function problemOf(table: "suppressions" | "preferences", why: Why, called: string, n: number): Problem {
  const rows = `${n.toLocaleString("en")} ${n === 1 ? "row" : "rows"} of ${table}`;
  const are = n === 1 ? "names" : "name";
  switch (why) {
    case "channel":
    case "topic": {
      const of = why === "channel" ? "the project doesn't have" : "no segment has";
      const message = called === "" ? `${rows} ${are} no channel` : `${rows} ${are} the ${why} ${JSON.stringify(called)}, which ${of}`;
      return {
        code: "ledger/idle-opt-out",
        message: `${message}: they hold nobody back.`,
        hint: `If the ${why} was renamed, append its rows again under the new name.`,
      };
    }
    case "address":
    case "user":
      return {
        code: "ledger/idle-opt-out",
        message: `${rows} can match nobody: ${why === "address" ? "the address is blank or none of its channel" : `the user id is blank or longer than ${String(LONGEST_ID_BYTES)} bytes`}.`,
        hint: `Append them again with the ${why === "address" ? "address" : "id"} as the segments return it.`,
      };
  }
}
