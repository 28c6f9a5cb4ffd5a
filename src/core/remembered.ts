/** More than a run's rows name, as a rule. */
const MOST = 1000;

/** The same function with its answers kept, for what each message asks of the few zones and locales that there are. */
export function remembered<T>(answer: (name: string) => T): (name: string) => T {
  const answers = new Map<string, T>();
  return (name) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const found = answer(name);
    if (answers.size >= MOST) answers.clear();
    answers.set(name, found);
    return found;
  };
}
