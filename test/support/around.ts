import type { Warehouse } from "../../src/warehouse/types.js";

/** The warehouse itself but for the methods given, e.g. to have something happen beside a statement. */
export function around(warehouse: Warehouse, changed: Partial<Warehouse>): Warehouse {
  return new Proxy(warehouse, {
    get(target, name) {
      if (name in changed) return changed[name as keyof Warehouse];
      const value: unknown = target[name as keyof Warehouse];
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
