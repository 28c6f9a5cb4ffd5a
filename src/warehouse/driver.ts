import { OpportuneError } from "../core/errors.js";

/** The packages through which a type of target is reached. Of these pg alone comes along. */
const DRIVERS = {
  postgres: ["pg"],
  snowflake: ["snowflake-sdk"],
  bigquery: ["@google-cloud/bigquery", "google-auth-library"],
} as const;

/** The command that brings them. */
export function installation(type: keyof typeof DRIVERS): string {
  return `npm install ${DRIVERS[type].join(" ")}`;
}

/** That they are not all beside Opportune, and how they get there. */
export function driverMissing(type: keyof typeof DRIVERS, cause: unknown): OpportuneError {
  const names = DRIVERS[type].join(" and ");
  const missing = DRIVERS[type].length === 1 ? `the package ${names}, which is not installed` : `the packages ${names}, which are not both installed`;
  const message = `Targets of type ${type} need ${missing}.`;
  return new OpportuneError({ code: "warehouse/driver", message, hint: `Run \`${installation(type)}\` beside Opportune.` }, 1, cause);
}
