import { createPrivateKey } from "node:crypto";
import type { ConnectionOptions } from "snowflake-sdk";
import { OpportuneError } from "../../core/errors.js";
import type { SnowflakeConnection } from "../../project/targets/snowflake.js";
import { readNamedFile } from "../named-file.js";

const UNREADABLE_KEY = { code: "warehouse/key", hint: "Give the path of the private key in PEM, relative to the project." };

/** What the client signs in with. @throws OpportuneError where the key can't be read; it never says what is in it */
export function signInOptions({ signIn }: SnowflakeConnection, root: string): Partial<ConnectionOptions> {
  switch (signIn.kind) {
    case "password":
      return { password: signIn.password };
    case "key":
      return { authenticator: "SNOWFLAKE_JWT", privateKey: privateKey(signIn, root) };
    case "oauth":
      return { authenticator: "OAUTH", token: signIn.token };
    case "browser":
      return { authenticator: "EXTERNALBROWSER" };
  }
}

/** In PKCS #8 without a passphrase, whatever PEM it comes in. */
function privateKey({ key, file, passphrase }: Extract<SnowflakeConnection["signIn"], { kind: "key" }>, root: string): string {
  const named = key === null ? `The file ${file ?? ""}, named under private_key_path,` : "The value of private_key";
  // Variables often hold a key in one line, its breaks written as \n.
  const pem = key === null ? readNamedFile(file ?? "", root, "private_key_path", UNREADABLE_KEY) : key.replaceAll(String.raw`\n`, "\n");
  try {
    const parsed = createPrivateKey({ key: pem, ...(passphrase === null ? {} : { passphrase }) });
    return parsed.export({ type: "pkcs8", format: "pem" }).toString();
  } catch (error) {
    // Its message may quote nothing of the key, but its cause and stack go no further either.
    const locked = /ENCRYPTED/.test(pem);
    throw new OpportuneError({
      code: "warehouse/key",
      message: `${named} is no private key that can be read${locked ? (passphrase === null ? ": it needs a passphrase" : " with that passphrase") : ""}${codeOf(error)}.`,
      hint: locked ? "Set private_key_passphrase: ${SNOWFLAKE_PASSPHRASE}." : "Give an RSA private key in PEM, as `openssl genrsa 2048` writes it.",
    });
  }
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^ERR_\w+$/.test(code) ? ` (${code})` : "";
}
