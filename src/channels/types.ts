/** What the job knows of a type of channel. No warehouse and no provider is named here. */

/** An address, by the column of a row that holds it. */
export interface Address<Column extends string = string> {
  readonly column: Column;
  /**
   * How its one form is made: "One form of an id" in docs/decisions.md. Spaces around it are taken
   * off in any case.
   */
  readonly form: "lower_case" | "as_written" | "user_id";
  /** What a row's address must be; null: the row is checked for it anyway. */
  readonly check: AddressCheck | null;
  /** Whether a text that a person typed is one such address. */
  isOne(text: string): boolean;
}

/** The check as data, because the warehouse makes it: src/segments/address.ts writes the SQL. */
export interface AddressCheck {
  /**
   * A regular expression that fits nearly every address, and nothing that isn't one. Warehouses
   * read it alike, and it takes a tenth of the time of the whole check (Postgres: 0.5 instead of
   * 10 µs).
   */
  readonly plain: string;
  /** Most characters; null: no limit. */
  readonly longest: number | null;
  /** LIKE patterns: one that an address fits, and one that it doesn't; null: any does. */
  readonly shape: { readonly like: string; readonly unlike: string } | null;
  /** Characters that no address holds. */
  readonly unwanted: string;
}

export interface ChannelKind<Name extends string = string, Column extends string = string> {
  /** As `type` in opportune.yml names it. */
  readonly name: Name;
  readonly address: Address<Column>;
  /**
   * What a template becomes. `email`: sender, subject, HTML and text, with headers. `text`: text or
   * JSON alone, with a subject where the template has one.
   */
  readonly content: "email" | "text";
}
