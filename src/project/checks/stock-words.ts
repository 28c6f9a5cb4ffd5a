/**
 * Words that say nothing of what a mail is about: a subject made of them alone fits any mail of any sender. A list of words, not
 * of phrases, because stock phrases are endless and their words few; not "no variable", because "Your trial ends today" is as
 * specific as a subject gets. English alone: a subject in another language is never found generic for its words.
 */
const STOCK_WORDS: ReadonlySet<string> = new Set(
  `a an the and or but to of in on at for from with by about up out off over into inside so as if than
  i i'm me my we we're we've our us you you're you've your yours it it's its this that that's these those there here one
  is are was be been being have has had do does did don't doesn't can can't could will would should just only still already really very
  more most much all any some something anything everything no not yes please now today soon again back ever never later
  hi hello hey dear welcome aboard greetings friend customer customers member members there
  big latest daily weekly monthly want wish hope give tip tips surprise you'll we'd we'll i'd
  new news newsletter update updates info information message messages notification reminder important urgent alert notice announcement
  offer offers deal deals sale discount discounts save saving special exclusive limited time last chance hurry ends ending free
  miss missed missing left leave behind waiting wait forgot forget forgotten come return returned gone
  check checking see look discover learn find open read click tap view get getting got started start begin ready going let's go make try
  thank thanks congratulations congrats great good amazing awesome exciting excited best love happy
  follow following touch quick quickly question questions help need needed think thought thoughts know how what what's when why who where
  doing thing things way ways complete finish continue action required account profile`.split(/\s+/),
);

/** Whether nothing is left once stock words, numbers and `names` (the sender's own, as they stand in `from`) are taken away. */
export function isStock(text: string, names: string): boolean {
  const own = new Set(wordsOf(names));
  return wordsOf(text).every((word) => STOCK_WORDS.has(word) || own.has(word) || /^\p{N}+$/u.test(word));
}

function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll("’", "'")
      .match(/[\p{L}\p{N}]+(?:'\p{L}+)?/gu) ?? []
  );
}
