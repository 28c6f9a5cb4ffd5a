/** What the provider took against what the ledger says. */
import type { Received } from "./provider.js";
import { MOST_DOUBTS, SEGMENTS, type Shop } from "./shop.js";

export interface Verdict {
  /** Messages that the provider took, each counted once. */
  received: number;
  /** Messages that the audit view lists as in doubt. */
  inDoubt: number;
  /** Messages that it took more than once. */
  twice: string[];
  /** `segment user` of messages that it never took and that are not in doubt. */
  lost: string[];
  /** Whatever else does not fit, one sentence each. */
  wrong: string[];
}

/**
 * Once nothing is left to send: each user's message of each segment was taken or is in doubt, each of the ledger's
 * accepted ones was taken, each one taken and not accepted is in doubt, and the ledger's sums are those of the messages.
 * `doubts`: the most that may be in doubt.
 */
export async function verdictOf(shop: Shop, received: readonly Received[], doubts = MOST_DOUBTS): Promise<Verdict> {
  const wrong: string[] = [];
  const taken = new Map<string, number>();
  const reached = new Map<string, number>();
  const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
  for (const { messageId, segment, address } of received) {
    count(taken, messageId);
    count(reached, `${segment} ${address.split("@")[0] ?? ""}`);
  }

  const { messages, sums, runs, leases } = await shop.warehouse(async (warehouse) => {
    const ask = (sql: string): ReturnType<typeof warehouse.query> => warehouse.query({ sql: sql.replaceAll("ledger.", `${shop.schema}.`), params: [] });
    return {
      messages: await ask("select message_id, run_id, segment, user_id, status from ledger.messages where status <> 'released'"),
      sums: await ask(
        "select message_id, cast(sum(settles) as integer) as settles, cast(sum(counts) as integer) as counts from ledger.sent_ledger group by message_id",
      ),
      runs: await ask("select run_id from ledger.runs where status = 'running'"),
      leases: await ask("select holder from ledger.leases where holder is not null"),
    };
  });
  if (runs.length > 0) wrong.push(`runs that never ended: ${runs.map((row) => String(row["run_id"])).join(", ")}`);
  if (leases.length > 0) wrong.push("the lease is still held");

  const standing = new Map<string, string>();
  const listed = new Set<string>();
  for (const { message_id, segment, user_id, status } of messages) {
    const id = String(message_id);
    const name = `${String(segment)} ${String(user_id)}`;
    if (standing.has(id)) wrong.push(`${name} has two claims that stand: ${String(standing.get(id))} and ${String(status)}`);
    standing.set(id, String(status));
    if (status === "in_doubt") listed.add(name);
    if (status !== "accepted" && status !== "in_doubt") wrong.push(`${name} is left ${String(status)}`);
    if (status === "accepted" && !taken.has(id)) wrong.push(`${name} is accepted, but the provider never took it`);
  }
  for (const id of taken.keys()) if (!standing.has(id)) wrong.push(`the provider took ${id}, of which the ledger has no claim that stands`);

  const expected = SEGMENTS.flatMap((segment) => shop.users.map((user) => `${segment} ${user}`));
  const lost = expected.filter((name) => !reached.has(name) && !listed.has(name));
  for (const name of reached.keys()) if (!expected.includes(name)) wrong.push(`${name} was taken, and nobody expects it`);

  const either = new Set([...taken.keys(), ...[...standing].filter(([, status]) => status === "in_doubt").map(([id]) => id)]);
  for (const column of ["settles", "counts"]) {
    const total = sums.reduce((sum, row) => sum + Number(row[column]), 0);
    if (total !== either.size) wrong.push(`the ledger's ${column} add up to ${String(total)}; taken or in doubt are ${String(either.size)}`);
    for (const row of sums)
      if (![0, 1].includes(Number(row[column]))) wrong.push(`message ${String(row["message_id"])} has ${column} of ${String(row[column])}`);
  }
  if (listed.size > doubts) wrong.push(`${String(listed.size)} are in doubt, more than ${String(doubts)}`);
  return { received: taken.size, inDoubt: listed.size, twice: [...taken].filter(([, times]) => times > 1).map(([id]) => id), lost, wrong };
}
