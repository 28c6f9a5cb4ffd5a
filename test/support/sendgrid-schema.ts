/**
 * Checks bodies of `POST /v3/mail/send` against SendGrid's published OpenAPI description, which lies beside the repository on
 * some machines, and against the limits that it states in words alone.
 */
import { existsSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

const FILE = new URL("../../../shared/data/sendgrid/tsg_mail_v3.json", import.meta.url);
const BODY = "#/components/requestBodies/PostMailSend/content/application~1json/schema";
/** Written again here, as a guard of src/delivery/providers/sendgrid/headers.ts, which the sender and the sandbox share. */
const RESERVED = [
  "x-sg-id",
  "x-sg-eid",
  "received",
  "dkim-signature",
  "content-type",
  "content-transfer-encoding",
  "to",
  "from",
  "subject",
  "reply-to",
  "cc",
  "bcc",
];

/** What is wrong with a body, one line each; empty if nothing is. */
export type BodyCheck = (body: unknown) => string[];

/**
 * The checker; where the description is not at hand it checks the stated limits alone and says so once, in one line.
 */
export function sendGridBodyCheck(): BodyCheck {
  loaded ??= load();
  return loaded;
}

let loaded: BodyCheck | undefined;

function load(): BodyCheck {
  if (!existsSync(FILE)) {
    console.info("SendGrid's description is not beside the repository: bodies are checked against its stated limits alone.");
    return statedLimits;
  }
  const description = JSON.parse(readFileSync(FILE, "utf8")) as Description;
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
  formats.default(ajv);
  ajv.addSchema(description, "sendgrid");
  const validate = ajv.compile({ $ref: `sendgrid${BODY}` });
  const fields = description.components.requestBodies.PostMailSend.content["application/json"].schema.properties;
  return (body) => {
    const wrong = validate(body) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
    wrong.push(...unknownKeys("", body, fields));
    for (const one of list(body, "personalizations")) wrong.push(...unknownKeys("/personalizations", one, fields["personalizations"]?.items?.properties ?? {}));
    return [...wrong, ...statedLimits(body)];
  };
}

interface Field {
  items?: { properties?: Record<string, Field> };
}
interface Description {
  components: {
    requestBodies: { PostMailSend: { content: { "application/json": { schema: { properties: Record<string, Field> } } } } };
  };
}

/** What SendGrid writes beside its schema: sizes, order, uniqueness, headers. */
function statedLimits(body: unknown): string[] {
  const wrong: string[] = [];
  if (Buffer.byteLength(JSON.stringify(body)) > 30 * 1024 * 1024) wrong.push("the body exceeds 30 MB");
  const personalizations = list(body, "personalizations");
  if (personalizations.length === 0) wrong.push("/personalizations is empty");
  for (const one of personalizations) {
    if (list(one, "to").length === 0) wrong.push("/personalizations/to is empty");
    if (Buffer.byteLength(JSON.stringify(get(one, "custom_args") ?? {})) > 10_000) wrong.push("custom_args exceed 10,000 bytes");
    for (const value of Object.values(get(one, "custom_args") ?? {})) if (typeof value !== "string") wrong.push("a custom_arg is no string");
    wrong.push(...reservedHeaders(get(one, "headers")));
  }
  wrong.push(...reservedHeaders(get(body, "headers")));
  const types = list(body, "content").map((one) => String(get(one, "type")));
  if (types.length === 0) wrong.push("/content is missing");
  if (types.includes("text/plain") && types[0] !== "text/plain") wrong.push("text/plain is not first");
  const subject = get(body, "subject");
  if (typeof subject !== "string" || subject === "") wrong.push("/subject is missing");
  return wrong;
}

function reservedHeaders(headers: unknown): string[] {
  return Object.keys(headers ?? {})
    .filter((name) => RESERVED.includes(name.toLowerCase()))
    .map((name) => `the header ${name} is reserved`);
}

function unknownKeys(place: string, value: unknown, known: Record<string, unknown>): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value)
    .filter((key) => !(key in known))
    .map((key) => `${place}/${key} is no field of SendGrid's`);
}

function get(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function list(value: unknown, key: string): unknown[] {
  const found = get(value, key);
  return Array.isArray(found) ? found : [];
}
