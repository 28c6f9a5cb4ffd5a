/** The grammar of the command line: every command, argument and option, and nothing of what they do. */
import { WAREHOUSES } from "../core/warehouses.js";
import { Command, Option } from "commander";
import { didYouMean } from "../core/suggest.js";
import { VERSION } from "../version.js";
import { command, examples, lazily, output } from "./shared/grammar.js";

const SELECT = ["--select <segments...>", "segments by id, pattern (cart_*), signal:intent, status:paused or topic:carts; comma or space separated"] as const;
const EXCLUDE = ["--exclude <segments...>", "segments to leave out, in the words of --select"] as const;
const TIME = "a date (its midnight in UTC) or a time with Z or an offset";

/** The whole command line. Its usage errors are thrown as CommanderError, everything else as the commands throw it. */
export function createProgram(): Command {
  const program = new Command("opportune")
    .description("The right message at the moment behaviour calls for it, straight from the data warehouse.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help for a command")
    .helpCommand("help [command]", "print help for a command")
    .option("--project-dir <dir>", "the project's folder (default: the nearest one upward with an opportune.yml)")
    .option("--target <name>", "target of opportune.yml to work on (default: its `target`)")
    .option("--no-color", "plain text; NO_COLOR does the same")
    .option("--debug", "show where an error happened")
    .option("--quiet", "no progress, only results and errors")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => write(text.replace(/\(Did you mean (?!one of)(.+)\?\)/, (_, nearest: string) => didYouMean(nearest) ?? "")),
    })
    .exitOverride();
  program.addHelpText("after", "\nExit codes: 0 all well, 1 something failed and was handled, 2 wrong usage or unexpected.");

  addProjectCommands(program);
  addRunCommands(program);
  addDoubtCommands(program);
  addLedgerCommands(program);
  return program;
}

function addProjectCommands(program: Command): void {
  command(program, "init", "begin a project: the shipped example with a sample warehouse, or one for your own warehouse")
    .argument("[dir]", "folder to begin it in", ".")
    .addOption(new Option("--warehouse <type>", "begin one for a warehouse of your own, which is not touched yet").choices(WAREHOUSES))
    .option("--path <file>", "file of a DuckDB warehouse (default: warehouse.duckdb in the project's folder)")
    .option("--from-dbt <manifest>", "take its tables from a dbt project's target/manifest.json")
    .addHelpText(
      "after",
      `\nAsks nothing and overwrites nothing; a package.json and a workflow for GitHub are written where there are none.\nFrom dbt come models, snapshots, seeds and sources, as tables of dbt's target: make the manifest with the target that is meant.\n${examples("opportune init shop", "opportune init lifecycle --warehouse postgres", "opportune init lifecycle --from-dbt ../analytics/target/manifest.json")}`,
    )
    .action(lazily(async () => (await import("./init/init.js")).initCommand));
  command(program, "demo", "run the shipped segments on a generated warehouse and a sandbox; keeps both under target/ to look at").action(
    lazily(async () => (await import("./demo/demo.js")).demoCommand),
  );
  command(program, "debug", "check versions, project, targets, ledger, channels and sources")
    .addOption(output())
    .action(lazily(async () => (await import("./debug/debug.js")).debugCommand));
  command(program, "ls", "list segments and audiences")
    .option(...SELECT)
    .option(...EXCLUDE)
    .addOption(output())
    .addHelpText("after", examples("opportune ls --select signal:intent", "opportune ls --output json"))
    .action(lazily(async () => (await import("./ls.js")).lsCommand));
  command(program, "compile", "check every segment against the warehouse and write the SQL that will run")
    .option(...SELECT)
    .option(...EXCLUDE)
    .option("--as-of <time>", `compile as of then: ${TIME}`)
    .option("--estimate", "say what each query would read, in a run and in a day, where the warehouse can tell")
    .addHelpText(
      "after",
      `\nWrites target/opportune/compiled/ and target/opportune/manifest.json; runs no segment.\n${examples("opportune compile --select cart_abandoned")}`,
    )
    .action(lazily(async () => (await import("./compile/compile.js")).compileCommand));
  command(program, "lint", "look for what the guides of lifecycle messaging warn of")
    .option(...SELECT)
    .option(...EXCLUDE)
    .addOption(output())
    .addHelpText(
      "after",
      `\nReads the ledger only where a segment has \`first_run: send\`, else no warehouse. Exits with 1 if anything is found; docs/lint.md has the rules, and how to silence one.\n${examples("opportune lint", "opportune lint --select status:live --output json")}`,
    )
    .action(lazily(async () => (await import("./lint.js")).lintCommand));
  command(program, "preview", "render one message as it would be now")
    .argument("<segment>", "id of the segment")
    .option("--user <id>", "the user to render it for (default: the first one that the segment returns)")
    .option("--step <name>", "the step, or step/variant (default: the first one)")
    .option("--send-to <address>", "send it there, with [preview] before the subject; the ledger is not written")
    .option("--watch", "show the segment's messages in a browser, and render them anew as files change")
    .option("--port <number>", "with --watch: port of the page; 0: any free one (default: 4011)")
    .addOption(output())
    .addHelpText(
      "after",
      `\nWrites HTML and text to target/opportune/preview/.\n${examples("opportune preview cart_abandoned --user 42", "opportune preview cart_abandoned --watch", "opportune preview cart_abandoned --step reminder --send-to me@example.com")}`,
    )
    .action(lazily(async () => (await import("./preview/preview.js")).previewCommand));
  command(program, "sandbox", "run a provider on this machine that sends nothing, with a page to look at what arrived")
    .option("--port <number>", "port to listen on; 0: any free one", "4010")
    .option("--fault <json...>", 'misbehave from the start, e.g. \'{"status":429,"resetInSeconds":2}\'')
    .option("--api-key <key>", "the one key to accept (default: any)")
    .addHelpText(
      "after",
      `\nIn a project, the page shows the decision behind each message, from the ledger of the target.\n${examples("opportune sandbox", 'opportune sandbox --fault \'{"status":503,"share":0.1}\'')}`,
    )
    .action(lazily(async () => (await import("./sandbox.js")).sandboxCommand));
}

function addRunCommands(program: Command): void {
  command(program, "run", "decide who hears from us now, and send")
    .option(...SELECT)
    .option(...EXCLUDE)
    .option("--due", "only those segments whose `every` has passed since they were last asked")
    .option("--strict", "exit with 1 if any message failed, not only where nothing was accepted or many failed")
    .option("--dry-run", "decide and render, send nothing and leave the ledger as it is; drafts take part")
    .option("--as-of <time>", `decide as of then, and deliver to sandbox or outbox alone: ${TIME}; with --dry-run also one to come`)
    .option("--backfill <segments...>", "message those too who had qualified before the segment began")
    .option("--approve <segments...>", "let segments go that wait as `surge`, because they offer more than they may")
    .addOption(output())
    .addHelpText(
      "after",
      `\nSegments that are not selected do not compete: a message of theirs that would have gone first does not hold others back.\nWrites run_results.json, manifest.json and compiled/ to target/opportune/; --output json prints run_results.json alone.\n${examples("opportune run", "opportune run --dry-run --select cart_abandoned", "opportune run --select signal:intent --exclude cart_abandoned", "opportune run --backfill win_back")}`,
    )
    .action(lazily(async () => (await import("./run.js")).runCommand));
  command(program, "start", "run at every tick of the project's interval, until a signal ends it")
    .option("--host <address>", "address to serve /healthz, /readyz and /metrics on; loopback: this machine alone", "127.0.0.1")
    .option("--port <number>", "port of these; 0: any free one", "9095")
    .option("--grace <duration>", "most time from SIGTERM, SIGINT or SIGHUP to the end", "25 seconds")
    .addOption(new Option("--log-format <format>", "json lines, or text for people (default: text on a terminal, else json)").choices(["json", "text"]))
    .addOption(
      new Option("--log-level <level>", "least important lines to log as json")
        .choices(["debug", "info", "warn", "error"])
        .default("info")
        .env("OPPORTUNE_LOG_LEVEL"),
    )
    .addHelpText(
      "after",
      `\nSegments with \`every\` are asked when it has passed. The project is read anew at each tick. Logs go to stderr.\n${examples("opportune start --target prod", "opportune start --host 0.0.0.0 --port 9095 --log-format json")}`,
    )
    .action(lazily(async () => (await import("./start/start.js")).startCommand));
  command(program, "explain", "tell one user's story: each message, each silence, and why")
    .argument("<user>", "the user's id, as the segments return it, or an address that they were written to at")
    .option("--segment <id>", "of this segment alone")
    .option("--limit <number>", "most events to show, the newest", "200")
    .option("--templates", "show the whole text of the templates that messages were made from, as it was then")
    .option("--all", "ask all segments, as a dry run does, and tell every reason that stops the user's messages now, not the first alone")
    .addOption(new Option("--html <file>", "write it as a page for the browser, with what may come next").conflicts(["output", "all"]))
    .addOption(output())
    .addHelpText(
      "after",
      examples(
        "opportune explain 42",
        "opportune explain ada@example.com",
        "opportune explain 42 --segment cart_abandoned --output json",
        "opportune explain 42 --all",
        "opportune explain 42 --html story.html",
      ),
    )
    .action(lazily(async () => (await import("./explain/explain.js")).explainCommand));
  for (const [verb, description] of [
    ["pause", "hold back a segment, a channel or everything"],
    ["resume", "end a pause, a breaker's too"],
  ] as const) {
    const pausing = command(program, verb, description)
      .argument("[segment]", "id of a segment")
      .option("--channel <name>", `${verb} a channel`)
      .option("--all", `${verb} everything on this target`);
    if (verb === "pause")
      pausing
        .option("--until <time>", `end by itself then: a duration (2 hours), ${TIME}`)
        .option("--note <text>", "why, for colleagues: `ls`, `explain`, `debug` and runs show it");
    const example = verb === "pause" ? "opportune pause --channel email --until '2 hours' --note 'moving providers'" : "opportune resume --channel email";
    pausing
      .addHelpText("after", examples(`opportune ${verb} cart_abandoned`, example, `opportune ${verb} --all`))
      .action(lazily(async () => (verb === "pause" ? (await import("./pause.js")).pauseCommand : (await import("./resume.js")).resumeCommand)));
  }
}

function addDoubtCommands(program: Command): void {
  const doubts = command(program, "doubts", "list messages that were handed over and whose answer never came, or settle them")
    .option("--segment <id>", "of this segment alone")
    .option("--channel <name>", "of this channel alone")
    .option("--addresses", "show where each was sent")
    .addOption(output())
    .addHelpText("after", examples("opportune doubts", "opportune doubts --channel email --output json"))
    .action(lazily(async () => (await import("./doubts.js")).doubtsCommand));
  command(doubts, "settle", "say what became of messages in doubt")
    .argument("[messages...]", "their ids, as `opportune doubts` lists them")
    .option("--all", "all in doubt, or those that --segment and --channel leave")
    .option("--sent", "the provider has them")
    .option("--not-sent", "the provider does not have them: caps forget them, and their users do not hear of this behaviour")
    .option("--resend", "offer them again: the next run decides afresh, and may send what was sent before")
    .addHelpText(
      "after",
      examples("opportune doubts settle --sent 0cc175b9c0f1b6a831c399e269772661", "opportune doubts settle --resend --all --segment cart_abandoned"),
    )
    .action(lazily(async () => (await import("./doubts.js")).doubtsSettleCommand));
  command(program, "retry", "offer messages again that failed for good, after a fix")
    .argument("[messages...]", "their ids, as the view `messages` has them")
    .option("--all", "all that failed as invalid or rejected, or those that the filters leave")
    .option("--segment <id>", "of this segment alone")
    .option("--channel <name>", "of this channel alone")
    .addOption(new Option("--reason <reason>", "invalid: could not be rendered; rejected: the provider refused it").choices(["invalid", "rejected"]))
    .option("--since <duration>", "that failed no longer ago than e.g. 2d or `2 days`")
    .addOption(output())
    .addHelpText(
      "after",
      `\nThe next run decides on each afresh: it goes if its segment still returns the user, its window is open and no rule stops it.\n${examples("opportune retry --all --segment cart_abandoned --since '2 days'", "opportune retry --all --reason invalid")}`,
    )
    .action(lazily(async () => (await import("./retry.js")).retryCommand));
}

function addLedgerCommands(program: Command): void {
  const ledger = command(program, "ledger", "install the ledger, see its version, take a run back, or delete old rows");
  command(ledger, "install", "create the ledger in the target's schema, or bring it to this version").action(
    lazily(async () => (await import("./ledger.js")).ledgerInstallCommand),
  );
  command(ledger, "adopt", "let runs send from this database, which is a copy or a restore of the ledger's own").action(
    lazily(async () => (await import("./ledger.js")).ledgerAdoptCommand),
  );
  command(ledger, "forget", "take a run back whose clock or data was wrong: the next run is as if it had not been, and nobody who heard hears again")
    .argument("<run>", "id of the run, as `opportune run` and `opportune explain` tell it")
    .option("--and-later", "take back the runs after it too, the latest first")
    .addOption(output())
    .addHelpText("after", examples("opportune ledger forget 20270406T120000Z_1f0c9a2b"))
    .action(lazily(async () => (await import("./forget-run.js")).forgetRunCommand));
  command(ledger, "forget-segment", "record that a segment is gone for good: a new one with its query is new, and may write to the same users again")
    .argument("<segments...>", "ids of segments that ran and have no file any more, are drafts, or have another query now")
    .addHelpText("after", examples("opportune ledger forget-segment cart_abandoned"))
    .action(lazily(async () => (await import("./forget-segment.js")).forgetSegmentCommand));
  command(ledger, "prune", "delete old rows of the ledger that no run asks for any more; nobody who heard hears again")
    .requiredOption("--older-than <duration>", "how old a decision must be, such as 400d: longer than anything looks back")
    .option("--dry-run", "say how many rows it would delete")
    .addOption(output())
    .addHelpText("after", examples("opportune ledger prune --older-than 400d --dry-run"))
    .action(lazily(async () => (await import("./prune.js")).pruneCommand));
  command(ledger, "status", "the ledger's version; fails unless it is the one needed")
    .addOption(output())
    .action(lazily(async () => (await import("./ledger.js")).ledgerStatusCommand));
}
