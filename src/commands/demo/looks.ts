/** What the demo leaves to be looked at: the mails as a page, one user's story, a query on the ledger; each with a command that works. */
import { writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { writePrivately } from "../../core/private-file.js";
import type { Ledger } from "../../ledger/ledger.js";
import type { Project } from "../../project/types.js";
import { galleryPage, type GalleryMail } from "../../pages/gallery.js";
import { count, counted } from "../../report/tables.js";
import type { StoredMessage } from "../../server/sandbox/sandbox.js";
import { timestampLiteral } from "../../warehouse/sql.js";

type Sent = Pick<GalleryMail, "step" | "template">;

/** Writes them into the demo's folder and gives the lines that name them. `folder` is its path as the user would write it. */
export async function thingsToLookAt(project: Project, ledger: Ledger, messages: readonly StoredMessage[], folder: string): Promise<string> {
  const claims = await ledger.query(ledger.tables.selectFrom("sent_ledger").select(["message_id", "step", "template"]).where("event", "=", "claimed"));
  const sentOf = new Map(claims.map((row) => [String(row["message_id"]), { step: String(row["step"]), template: String(row["template"]) }]));
  const mails = messages.map((message) => mailOf(message, sentOf));
  writePrivately(join(project.root, "gallery.html"), galleryPage(mails));
  writeFileSync(join(project.root, "query.mjs"), queryScript(project));
  return `1. The ${counted(mails.length, "email")}, as a page for the browser:
     ${folder}/gallery.html
2. Somebody who heard from us, and why they heard nothing else:
     ${program()} explain ${await toldBoth(ledger)} --project-dir ${folder}
3. The ledger, with SQL:
     node ${folder}/query.mjs "select reason, count(*) as n from ${ledger.schema}.sent_ledger group by 1 order by 2"`;
}

/** What became of the messages that waited, in one sentence. `then` and `now` are the as_of of two runs, ISO 8601 UTC. */
export async function whatWaited(ledger: Ledger, then: string, now: string): Promise<string> {
  const sent = ledger.table("sent_ledger");
  const at = (instant: string): string => timestampLiteral(instant, ledger.dialect);
  const [row] = await ledger.query({
    sql: `select count(*) as waited, sum(claimed) as claimed, sum(1 - moved) as waiting
      from (
        select w.message_id, max(case l.event when 'claimed' then 1 else 0 end) as claimed,
          max(case when l.event is null or l.event = 'waiting' then 0 else 1 end) as moved
        from ${sent} w
        left join ${sent} l on l.message_id = w.message_id and l.decided_at = ${at(now)}
        where w.event = 'waiting' and w.decided_at = ${at(then)}
        group by w.message_id
      ) messages`,
    params: [],
  });
  const [waited, claimed, waiting] = [Number(row?.["waited"]), Number(row?.["claimed"]), Number(row?.["waiting"])];
  return `Of ${counted(waited, "message")} that waited at noon, ${count(claimed)} went out, ${count(waiting)} wait on, and ${count(waited - claimed - waiting)} no longer apply.`;
}

function mailOf({ body, receivedAt }: StoredMessage, sentOf: ReadonlyMap<string, Sent>): GalleryMail {
  const mail = body as {
    subject: string;
    categories: [string];
    content: { type: string; value: string }[];
    personalizations: [{ to: [{ email: string }]; custom_args: { message_id: string } }];
  };
  const [{ to, custom_args }] = mail.personalizations;
  const content = (type: string): string | null => mail.content.find((part) => part.type === type)?.value ?? null;
  return {
    to: to[0].email,
    subject: mail.subject,
    html: content("text/html"),
    text: content("text/plain") ?? "",
    segment: mail.categories[0],
    ...(sentOf.get(custom_args.message_id) ?? { step: "", template: "" }),
    messageId: custom_args.message_id,
    receivedAt,
  };
}

/** A user with an accepted message and another one that a rule of theirs stopped; of these the one with the shortest story. */
async function toldBoth(ledger: Ledger): Promise<string> {
  const [user] = await ledger.query({
    sql: `select user_id from ${ledger.table("sent_ledger")} group by user_id
      order by max(case event when 'accepted' then 1 else 0 end) desc,
        max(case when reason in ('outranked', 'spacing', 'cap') then 1 else 0 end) desc, count(distinct segment) desc,
        max(case event when 'denied' then 1 else 0 end) desc, count(*), user_id limit 1`,
    params: [],
  });
  return String(user?.["user_id"]);
}

/** How this program is started: from a checkout's sources, or as a package's command. */
function program(): string {
  const script = process.argv[1] ?? "";
  return basename(script) === "cli.ts" ? `npx tsx ${relative(process.cwd(), script)}` : "npx opportune";
}

/** A script that runs one query on the demo's warehouse; DuckDB's own command line does as well, where it is installed. */
function queryScript({ target }: Project): string {
  const path = target.connection.type === "duckdb" ? target.connection.path : "";
  return `// node query.mjs "select …": one query on the demo's warehouse, which it only reads.
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from ${JSON.stringify(import.meta.resolve("@duckdb/node-api"))};

const file = fileURLToPath(new URL(${JSON.stringify(path)}, import.meta.url));
const connection = await (await DuckDBInstance.create(file, { access_mode: "READ_ONLY" })).connect();
const plain = (value) => (typeof value === "bigint" ? Number(value) : value === null || typeof value === "number" ? value : String(value));
const rows = (await connection.runAndReadAll(process.argv[2])).getRowObjects();
console.table(rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))));
`;
}
