/** A pause by command, for live runs, until somebody resumes. */
export const BY_OPERATOR = { kind: "operator", until: null, note: null, trial: false } as const;
