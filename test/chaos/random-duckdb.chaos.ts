import { randomMoments } from "./support/random-moments.js";

randomMoments("duckdb");
