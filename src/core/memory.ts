import { setFlagsFromString } from "node:v8";

/**
 * Lets V8 collect its old generation once that has grown by half, not to four times what survived: of what a run holds for a
 * moment, 250 MB would else lie about before it is looked at. (Measured with 49,500 messages on Postgres: a peak of 200 MB instead
 * of 315, for a tenth more processor time. The flag is the same in V8 of Node 20 to 24.)
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--heap-growing-percent=50");
}
