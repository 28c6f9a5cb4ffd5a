import { namedPoints } from "./support/named-points.js";

namedPoints("postgres");
