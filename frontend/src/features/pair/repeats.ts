/** What two replies only repeat of their prompts: in “The capital of Spain is Madrid” the country was asked about. */
import type { Token } from "@/model/timeline";
import type { Alignment } from "./alignment";

type Said = Pick<Token, "text" | "role">;

const folded = (text: string): string => text.trim().toLowerCase();
const isAsked = (token: Said | undefined): token is Said => token !== undefined && token.role !== "assistant";

/**
 * Whether two texts, one of each reply, repeat their prompts where these differ: both stand there, and at
 * least one of them in what was changed. The other may be what a shorter word is followed by.
 */
export function repeatsChange(
  { columns }: Alignment,
  a: readonly Said[],
  b: readonly Said[],
): (textA: string, textB: string) => boolean {
  const askedIn = (side: readonly Said[]) => new Set(side.filter(isAsked).map(({ text }) => folded(text)));
  const [askedA, askedB] = [askedIn(a), askedIn(b)];
  const [changedA, changedB] = [new Set<string>(), new Set<string>()];
  for (const column of columns) {
    if (column.isSame) continue;
    const [ofA, ofB] = [a[column.a ?? -1], b[column.b ?? -1]];
    if (isAsked(ofA)) changedA.add(folded(ofA.text));
    if (isAsked(ofB)) changedB.add(folded(ofB.text));
  }
  return (textA, textB) => {
    const [inA, inB] = [folded(textA), folded(textB)];
    return (changedA.has(inA) && askedB.has(inB)) || (changedB.has(inB) && askedA.has(inA));
  };
}
