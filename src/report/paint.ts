import type pc from "picocolors";

/** Colour functions; those made without colours give the text back. */
export type Paint = ReturnType<typeof pc.createColors>;
