import { OpportuneError } from "../core/errors.js";
import type { WarehouseType } from "../core/warehouses.js";
import { installation, typeOf } from "../project/targets/targets.js";

/** That the packages through which a warehouse is reached are not all beside Opportune, and how they get there. */
export function driverMissing(type: WarehouseType, cause: unknown): OpportuneError {
  const { packages } = typeOf(type);
  const names = packages.join(" and ");
  const missing = packages.length === 1 ? `the package ${names}, which is not installed` : `the packages ${names}, which are not both installed`;
  const message = `Targets of type ${type} need ${missing}.`;
  return new OpportuneError({ code: "warehouse/driver", message, hint: `Run \`${installation(type)}\` beside Opportune.` }, 1, cause);
}
