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

/** The letters of `word` stand in `own` in their order, the first of them first: `htmp` in `heatmap`. */
function abbreviates(word: string, own: string): boolean {
  if (!own.startsWith(word.charAt(0))) return false;
  let at = 0;
  for (const letter of own) if (letter === word[at]) at += 1;
  return at === word.length;
}

/**
 * The commands that have every word of the query at the start of one of theirs, by groups; where there
 * are none, those with a word that each abbreviates. Those whose label begins with the query come
 * first, and their group before the others.
 */
export function found<T extends Listed>(commands: readonly T[], query: string): T[] {
  const asked = fold(query)
    .split(/\s+/)
    .filter((word) => word !== "");
  const withWords = (matches: (word: string, own: string) => boolean): T[] =>
    commands.filter(({ group, label, words = "" }) => {
      const own = fold(`${label} ${words} ${group}`).split(/[^\p{L}\p{N}]+/u);
      return asked.every((word) => own.some((each) => matches(word, each)));
    });
  const exact = withWords((word, own) => own.startsWith(word));
  const hits = exact.length > 0 ? exact : withWords(abbreviates);
  const begins = ({ label }: T): boolean => asked.length > 0 && fold(label).startsWith(asked.join(" "));
  const groups = [...new Set(hits.map(({ group }) => group))];
  const best = new Set(hits.filter(begins).map(({ group }) => group));
  const place = ({ group }: T): number => groups.indexOf(group) - (best.has(group) ? groups.length : 0);
  return hits.toSorted((a, b) => place(a) - place(b) || Number(begins(b)) - Number(begins(a)));
}

/** Tells a command from every other, also at a later visit. */
export const keyOf = ({ id, group, label }: Listed): string => id ?? `${group} ${label}`;

const MAX_RECENT = 4;

/** The keys of what was run last, the last first. */
export const withLatest = (recent: readonly string[], latest: Listed): string[] =>
  [keyOf(latest), ...recent.filter((key) => key !== keyOf(latest))].slice(0, MAX_RECENT);

/** What was run last stands first, under a heading of its own. */
export function recentFirst<T extends Listed>(commands: readonly T[], recent: readonly string[]): T[] {
  const first = recent.flatMap((key) => commands.filter((command) => keyOf(command) === key));
  return [
    ...first.map((command) => ({ ...command, id: keyOf(command), group: "Recent" })),
    ...commands.filter((command) => !first.includes(command)),
  ];
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
