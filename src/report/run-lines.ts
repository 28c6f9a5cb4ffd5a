/** A run as it goes on: lines for stderr, in dbt's manner. */
import { formatBytes } from "../core/bytes.js";
import { formatProblem } from "../core/errors.js";
import type { DeliveryProgress } from "../delivery/deliver.js";
import type { OnStep } from "../segments/stage.js";
import type { Paint } from "./paint.js";
import { count, counted, seconds } from "./tables.js";

type Step = Parameters<OnStep>[0];

/** Columns up to the mark at the end of a line: fits a terminal of 100. */
const WIDTH = 80;

/** `1 of 6 START segment cart_abandoned ........ [RUN]`; a failed one has its problem below. */
export function stepLines(step: Step, paint: Paint): string[] {
  const place = `${String(step.index)} of ${String(step.total)}`;
  if (step.state === "start") return [dotted(`${place} START ${step.kind} ${step.name}`, "[RUN]")];
  const took = seconds(step.ms ?? 0);
  if (step.problem === undefined)
    return [
      dotted(
        `${place} OK ${step.kind} ${step.name} ${counted(step.rows ?? 0, "row")}${step.bytes === undefined ? "" : `, ${formatBytes(step.bytes)} read`}`,
        `[${paint.green("OK")} in ${took}]`,
      ),
    ];
  const [first = "", ...rest] = formatProblem(step.problem).split("\n");
  return [
    dotted(`${place} ERROR ${step.kind} ${step.name}`, `[${paint.red("ERROR")} in ${took}]`),
    `    ${paint.red(first)}`,
    ...rest.map((line) => `    ${line}`),
  ];
}

/** The lines around the one statement that decides. */
export function arbitrationStart(): string {
  return dotted("START decisions", "[RUN]");
}

/** @param ms duration of the statement */
export function arbitrationEnd(candidates: number, ms: number, paint: Paint): string {
  return dotted(`OK decisions ${counted(candidates, "candidate")}`, `[${paint.green("OK")} in ${seconds(ms)}]`);
}

/** How far delivery is. */
export function deliveryLine({ settled, claims, counts }: DeliveryProgress): string {
  return `Delivering: ${count(settled)} of ${counted(claims, "claim")} read so far, ${count(counts.accepted)} accepted`;
}

function dotted(text: string, mark: string): string {
  return `${text} ${".".repeat(Math.max(3, WIDTH - text.length - 1))} ${mark}`;
}
