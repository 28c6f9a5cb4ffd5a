/** Local part, one @, a domain with a dot-free or dotted host: strict enough that nothing else hides in it, a second address or a header. */
const ADDRESS = /^[^\s@<>(),;:"[\]\\]+@[^\s@<>(),;:"[\]\\]+$/u;

/** Whether the text is exactly one email address, without a name, white space, list or quoting. */
export function isAddress(text: string): boolean {
  return text.length <= 320 && ADDRESS.test(text);
}
