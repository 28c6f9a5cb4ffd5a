/** Fewest characters of a secret that signs: 128 bits in hex. */
const LEAST = 32;
/** Fewest different characters; 32 random hex digits have fewer once in 100,000 times. */
const LEAST_DIFFERENT = 9;
const PLACEHOLDER = /change.?(?:me|this|it)|replace.?(?:me|this|with)|your.?(?:own.?)?secret|place.?holder|to.?do\b|example|lorem.?ipsum|x{6}|\*{6}/i;

/** Why a secret is easily found, as the end of a sentence that doesn't show it; null where nothing says so. */
export function weaknessOf(secret: string): string | null {
  const characters = [...secret];
  if (characters.length < LEAST) return `has ${String(characters.length)} characters, fewer than ${String(LEAST)}`;
  if (PLACEHOLDER.test(secret)) return "is a placeholder";
  const triples = new Set(characters.slice(2).map((_, i) => characters.slice(i, i + 3).join("")));
  const follows = characters.slice(1).filter((character, i) => Math.abs((character.codePointAt(0) ?? 0) - (characters[i]?.codePointAt(0) ?? 0)) <= 1);
  const isRegular = triples.size < (characters.length - 2) / 2 || follows.length > characters.length / 2;
  return isRegular || new Set(characters).size < LEAST_DIFFERENT ? "repeats itself" : null;
}
