/** Moving and copying among token elements (`[data-index]`) by where they lie on the screen. */
import type { Span } from "@/base/span";

export const tokenElementId = (index: number): string => `token-${index}`;

const indexOf = (element: Element): number => Number(element.getAttribute("data-index"));

/** The token on the line above or below that is nearest to the middle of the given one; null at the edge. */
function tokenOnNextLine(list: Element, from: Element, direction: 1 | -1): number | null {
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

/** The nearest of `indices` (ascending) from `from` in direction `step`; `from` when there is none. */
export function stepAmong(indices: readonly number[], from: number | null, step: 1 | -1): number | null {
  const next =
    step === 1
      ? indices.find((index) => from === null || index > from)
      : indices.findLast((index) => from === null || index < from);
  return next ?? from;
}

/** How a list of tokens is walked through. */
export interface TokenWalk {
  /** The selected token; null for none. */
  readonly selected: number | null;
  /** The nearest shown token from `from` (null: from beyond the end) in direction `step`; `from` when there is none. */
  readonly step: (from: number | null, step: 1 | -1) => number | null;
  readonly list: Element | null;
  /** The element of the selected token; null where it is not shown. */
  readonly element: Element | null;
}

/** The token that a key leads to, null where there is none; undefined for keys that do not move. */
export function tokenAfterKey(
  key: string,
  { selected, step, list, element }: TokenWalk,
): number | null | undefined {
  const onLine = (direction: 1 | -1): number | null =>
    element === null || list === null ? step(null, direction) : tokenOnNextLine(list, element, direction);
  switch (key) {
    case "ArrowRight":
      return step(selected, 1);
    case "ArrowLeft":
      return step(selected, -1);
    case "Home":
      return step(null, 1);
    case "End":
      return step(null, -1);
    case "ArrowDown":
      return onLine(1);
    case "ArrowUp":
      return onLine(-1);
    default:
      return undefined;
  }
}

/**
 * The text of the tokens inside a selection, exactly: the browser would add a line break for each
 * block of the layout. Null when the selection holds no token.
 */
export function selectedTokenText(list: Element, range: Range): string | null {
  let text: string | null = null;
  for (const option of list.querySelectorAll("[data-index]")) {
    if (!range.intersectsNode(option)) continue;
    const own = document.createRange();
    own.selectNodeContents(option);
    if (option.contains(range.startContainer)) own.setStart(range.startContainer, range.startOffset);
    if (option.contains(range.endContainer)) own.setEnd(range.endContainer, range.endOffset);
    const part = own.cloneContents();
    // Bytes that are no character have only a sign on the page; the clipboard takes characters.
    for (const bytes of part.querySelectorAll("[data-mark]")) bytes.append("\ufffd");
    text = (text ?? "") + part.textContent;
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
