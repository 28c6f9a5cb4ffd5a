/** Opt-outs that hold nobody back, as the project stands: under a name that it doesn't have, or of nobody. */
import type { Problem } from "../core/errors.js";
import { heededSql } from "../ledger/trial.js";
import { addressColumn } from "../project/build/treatments.js";
import type { Project } from "../project/types.js";
import { canonicalName, canonicalUser } from "../warehouse/canonical.js";
import type { Dialect } from "../warehouse/dialect.js";
import { literal } from "../warehouse/dialect.js";
import { Binder, ledgerTable, textConstant } from "../warehouse/sql.js";
import type { Statement, Warehouse } from "../warehouse/types.js";
import { addressProblem } from "../segments/address.js";
import { LONGEST_ID_BYTES } from "../segments/ids.js";

type Why = "channel" | "topic" | "address" | "user";

/** Kinds of findings named at most: of names there may be as many as there are rows. */
const MOST = 20;

/** One problem for each kind of rows in `suppressions` and `preferences` that can match nobody, with how many there are. */
export async function idleOptOuts(project: Project, warehouse: Warehouse, trial: boolean): Promise<Problem[]> {
  const rows = await warehouse.query(idleStatement(project, warehouse.dialect, trial));
  return rows.map((row) => problemOf(row["is_of"] as "suppressions" | "preferences", row["why"] as Why, String(row["called"] ?? ""), Number(row["n"])));
}

function idleStatement(project: Project, dialect: Dialect, trial: boolean): Statement {
  const { schema } = project.target;
  const binder = new Binder(dialect);
  const list = (names: readonly string[]): string => (names.length === 0 ? "('')" : `(${names.map((name) => textConstant(name, binder)).join(", ")})`);
  const channels = list([...project.channels.keys()]);
  const topics = list([...new Set([...project.segments.values()].flatMap(({ topic }) => topic ?? []))]);
  const nobody = (id: string): string => `coalesce(${canonicalUser(id, dialect)}, '') = '' or ${dialect.byteLength(id)} > ${String(LONGEST_ID_BYTES)}`;
  const wrongAddress = [...project.channels.keys()].map((channel) => {
    const kind = addressColumn(project, channel);
    return `when ${literal(channel)} then ${kind === "user_id" ? nobody("address") : addressProblem(kind, "address", dialect, binder)}`;
  });
  const names = `${canonicalName("channel", dialect)} as channel, ${canonicalName("topic", dialect)} as topic`;
  const from = (table: string, column: string): string =>
    `(select ${names}, ${column} from ${ledgerTable(dialect, schema, table)} where ${heededSql(trial)}) words`;
  const unknownTopic = `when topic is not null and topic not in ${topics} then 'topic'`;
  const suppressions = `select 'suppressions' as is_of, channel, topic, case
      when channel is null or channel not in ${channels} then 'channel'
      ${unknownTopic}
      when ${wrongAddress.length === 0 ? "1 = 0" : `case channel ${wrongAddress.join(" ")} else false end`} then 'address'
    end as why
    from ${from("suppressions", "address")}`;
  const preferences = `select 'preferences' as is_of, channel, topic, case
      when channel is not null and channel not in ${channels} then 'channel'
      ${unknownTopic}
      when ${nobody("user_id")} then 'user'
    end as why
    from ${from("preferences", "user_id")}`;
  const called = "case why when 'channel' then channel when 'topic' then topic else '' end";
  return {
    sql: `select is_of, why, called, count(*) as n
    from (
    select is_of, why, ${called} as called
    from (
    ${suppressions}
    union all
    ${preferences}
    ) found
    where why is not null
    ) named
    group by is_of, why, called
    order by n desc, is_of, why, called
    limit ${String(MOST)}`,
    params: binder.params,
    ours: true,
  };
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
