import { expect, it } from "vitest";
import { driverMissing } from "../../src/warehouse/driver.js";

it.each([
  ["postgres", "Targets of type postgres need the package pg, which is not installed.", "Run `npm install pg` beside Opportune."],
  ["snowflake", "Targets of type snowflake need the package snowflake-sdk, which is not installed.", "Run `npm install snowflake-sdk` beside Opportune."],
  [
    "bigquery",
    "Targets of type bigquery need the packages @google-cloud/bigquery and google-auth-library, which are not both installed.",
    "Run `npm install @google-cloud/bigquery google-auth-library` beside Opportune.",
  ],
] as const)("names what %s is reached through", (type, message, hint) => {
  expect(driverMissing(type, null).problems[0]).toMatchObject({ code: "warehouse/driver", message, hint });
});
