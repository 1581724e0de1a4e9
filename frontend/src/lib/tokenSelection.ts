/** Moving and copying among token elements (`[data-index]`) by where they lie on the screen. */
import type { Span } from "./columns";

export const tokenElementId = (index: number): string => `token-${index}`;

const indexOf = (element: Element): number => Number(element.getAttribute("data-index"));

/** The token on the line above or below that is nearest to the middle of the given one; null at the edge. */
export function tokenOnNextLine(list: Element, from: Element, direction: 1 | -1): number | null {
  const box = from.getBoundingClientRect();
  const middle = box.left + box.width / 2;
  let best: { readonly index: number; readonly line: number; readonly distance: number } | null = null;
  for (const option of list.querySelectorAll("[data-index]")) {
    // A token that is broken over two lines has two boxes; its first says where it begins.
    const candidate = option.getClientRects()[0];
    if (candidate === undefined) continue;
    const line = (candidate.top - box.top) * direction;
    if (line < box.height / 2) continue;
    const distance = Math.abs(candidate.left + candidate.width / 2 - middle);
    const isNearerLine = best === null || line < best.line - box.height / 2;
    const isSameLine = best !== null && Math.abs(line - best.line) <= box.height / 2;
    if (isNearerLine || (isSameLine && best !== null && distance < best.distance)) {
      best = { index: indexOf(option), line, distance };
    }
  }
  return best === null ? null : best.index;
}

/**
 * The text of the tokens inside a selection, exactly: the browser would add a line break for each
 * block of the layout. Null when the selection holds no token.
 */
export function selectedTokenText(list: Element, range: Range): string | null {
  let text: string | null = null;
  for (const option of list.querySelectorAll("[data-index]")) {
    if (!range.intersectsNode(option)) continue;
    const content = option.textContent;
    const from =
      option.contains(range.startContainer) && range.startContainer !== option ? range.startOffset : 0;
    const to =
      option.contains(range.endContainer) && range.endContainer !== option ? range.endOffset : content.length;
    text = (text ?? "") + content.slice(from, to);
  }
  return text;
}

/** The element that holds the tokens of the conversation. */
export const TRANSCRIPT_ID = "transcript";

/** The tokens in which text of the conversation is selected; null when there are none. */
export function selectedTokenSpan(): Span | null {
  const list = document.getElementById(TRANSCRIPT_ID);
  const selection = window.getSelection();
  if (list === null || selection === null || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const touched = [...list.querySelectorAll("[data-index]")].filter((option) => touches(range, option));
  const [first, last] = [touched[0], touched.at(-1)];
  return first === undefined || last === undefined ? null : { start: indexOf(first), end: indexOf(last) + 1 };
}

/** Whether at least one character is selected: a selection that ends before the first one touches nothing. */
function touches(range: Range, option: Element): boolean {
  const own = document.createRange();
  own.selectNodeContents(option);
  return (
    range.compareBoundaryPoints(Range.END_TO_START, own) < 0 &&
    range.compareBoundaryPoints(Range.START_TO_END, own) > 0
  );
}
