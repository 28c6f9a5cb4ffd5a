import { namedPoints } from "./support/named-points.js";

namedPoints("duckdb");
