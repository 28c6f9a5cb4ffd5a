/**
 * A number as its warehouse wrote it: every digit, trailing zeros too. A text would do to print it; this one is known to be a number,
 * so that `{{#if}}` takes `0.00` for a no.
 */
export class ExactNumber {
  /** Private, so that no template finds a field in it. */
  readonly #written: string;

  constructor(written: string) {
    this.#written = written;
  }

  get isZero(): boolean {
    return /^[+-]?[0.]*(?:e|$)/i.test(this.#written);
  }

  toString(): string {
    return this.#written;
  }
}
