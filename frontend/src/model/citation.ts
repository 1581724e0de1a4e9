/** One published source, exactly. */
export interface Citation {
  /** Author, year, title. */
  readonly text: string;
  readonly href: string;
}
