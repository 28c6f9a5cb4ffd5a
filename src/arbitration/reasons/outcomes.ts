/** What may follow a decision in the ledger: an event and its reason. The last row of an event stands for all its other reasons. */
export interface Outcome {
  event: "claimed" | "sending" | "accepted" | "failed" | "in_doubt" | "released" | "voided";
  reasons: readonly string[];
  /** For the view `why`; {reason} and {rule} are the row's. */
  words: string;
  /** What to do, for docs/reasons.md. */
  remedy: string;
}

export const OUTCOMES: readonly Outcome[] = [
  {
    event: "claimed",
    reasons: ["kept"],
    words: "had left in a run that was taken back; counts from now",
    remedy: "nothing. Its run was taken back, and it had left already",
  },
  { event: "sending", reasons: ["sending"], words: "handed to the provider", remedy: "nothing. The next row says what came of it" },
  { event: "accepted", reasons: ["settled"], words: "settled by hand: it was sent", remedy: "nothing. Somebody found out that it had been sent" },
  { event: "accepted", reasons: ["kept"], words: "had been accepted by the provider", remedy: "nothing. Its run was taken back, and it had left already" },
  { event: "accepted", reasons: ["accepted"], words: "accepted by the provider", remedy: "nothing. The provider has it, which is not yet the inbox" },
  {
    event: "failed",
    reasons: ["invalid"],
    words: "could not be rendered",
    remedy: "`detail` says why it could not be rendered. After a fix, `opportune retry`",
  },
  {
    event: "failed",
    reasons: ["not_sent"],
    words: "settled by hand: it was not sent",
    remedy: "nothing. Somebody found out that a doubt had not been sent",
  },
  {
    event: "failed",
    reasons: ["rejected"],
    words: "refused by the provider",
    remedy: "the provider refused this message for good: `detail` has its words. After a fix, `opportune retry`",
  },
  {
    event: "in_doubt",
    reasons: ["interrupted"],
    words: "handed over, and the run was cut off before an answer came",
    remedy: "ask the provider, then `opportune doubts settle`",
  },
  { event: "in_doubt", reasons: ["no_answer"], words: "handed over, and no answer came", remedy: "ask the provider, then `opportune doubts settle`" },
  { event: "released", reasons: ["resend"], words: "no answer came; offered again", remedy: "nothing: somebody, or `on_doubt`, asked for it" },
  { event: "released", reasons: ["retry"], words: "offered again after a fix", remedy: "nothing: somebody asked for it" },
  { event: "released", reasons: ["forgotten"], words: "not sent: the run was taken back", remedy: "nothing: the next run decides again" },
  {
    event: "released",
    reasons: ["provider_unavailable", "channel_stopped"],
    words: "not sent after all ({reason}); decided again",
    remedy: "the provider takes nothing: the run's output says why",
  },
  {
    event: "released",
    reasons: ["interrupted", "stopped", "lease", "send_by", "paused"],
    words: "not sent after all ({reason}); decided again",
    remedy: "nothing: nothing was handed over, and the next run decides again",
  },
  { event: "voided", reasons: ["forgotten"], words: "the run was taken back ({rule})", remedy: "nothing: the next run decides again" },
];
