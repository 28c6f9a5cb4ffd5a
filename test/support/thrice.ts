/** What asks a registry fails now and then for no fault of ours: tried up to three times, each from the beginning. */
export async function thrice<T>(attempt: () => Promise<T>): Promise<T> {
  return attempt().catch(attempt).catch(attempt);
}
