/** Finding a command by a few letters. */

export interface Listed {
  /** Tells it from another of the same group and label. */
  readonly id?: string;
  /** Heading under which it stands. */
  readonly group: string;
  readonly label: string;
  /** Other words for it. */
  readonly words?: string;
}

const fold = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * The commands that have every word of the query at the start of one of theirs, by groups. Those whose
 * label begins with the query come first, and their group before the others.
 */
export function found<T extends Listed>(commands: readonly T[], query: string): T[] {
  const asked = fold(query)
    .split(/\s+/)
    .filter((word) => word !== "");
  const hits = commands.filter(({ group, label, words = "" }) => {
    const own = fold(`${label} ${words} ${group}`).split(/[^\p{L}\p{N}]+/u);
    return asked.every((word) => own.some((each) => each.startsWith(word)));
  });
  const begins = ({ label }: T): boolean => asked.length > 0 && fold(label).startsWith(asked.join(" "));
  const groups = [...new Set(hits.map(({ group }) => group))];
  const best = new Set(hits.filter(begins).map(({ group }) => group));
  const place = ({ group }: T): number => groups.indexOf(group) - (best.has(group) ? groups.length : 0);
  return hits.toSorted((a, b) => place(a) - place(b) || Number(begins(b)) - Number(begins(a)));
}

/** The token index that a query names, as `12`, `#12` or `go to token 12`; null where it names none. */
export function tokenIndexIn(query: string): number | null {
  const digits = /^\s*(?:(?:go\s+to\s+)?(?:token\s+)?#?)(\d{1,6})\s*$/i.exec(query)?.[1];
  return digits === undefined ? null : Number(digits);
}

const MIN_TOKEN_LETTERS = 2;
const MAX_TOKENS = 5;

/** The first tokens that begin with the query, without regard to case, accents and a leading space. */
export function tokensLike<T extends { readonly text: string }>(tokens: readonly T[], query: string): T[] {
  const asked = fold(query.trim());
  return asked.length < MIN_TOKEN_LETTERS
    ? []
    : tokens.filter(({ text }) => fold(text.trim()).startsWith(asked)).slice(0, MAX_TOKENS);
}
