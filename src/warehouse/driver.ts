import { OpportuneError } from "../core/errors.js";

/** That the packages through which a type of target is reached are not all beside Opportune, and how they get there. */
export function driverMissing(type: string, packages: readonly string[], cause: unknown): OpportuneError {
  const names = packages.join(" and ");
  const missing = packages.length === 1 ? `the package ${names}, which is not installed` : `the packages ${names}, which are not both installed`;
  return new OpportuneError(
    { code: "warehouse/driver", message: `Targets of type ${type} need ${missing}.`, hint: `Run \`npm install ${packages.join(" ")}\` beside Opportune.` },
    1,
    cause,
  );
}
