import { decideTheTable } from "./support/decisions.js";

decideTheTable("bigquery");
