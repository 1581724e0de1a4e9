/** Keeps the page's address in step with the page, and the page with Back and Forward. */
import { useEffect, useRef } from "react";
import { type Address, formatAddress, parseAddress } from "./address";

/** A browser refuses an address that changes too often: Safari after 100 changes in 30 s. */
const REST_MS = 300;

/** The change of the address that is still resting. */
let waiting: (() => void) | null = null;

/** Makes the address say what the page shows now, for whoever takes it or leaves the page. */
export const settleAddress = (): void => waiting?.();

/** `onVisit` is called for the address that the page was opened with and for each step through the history. */
export function useAddress(
  address: Address,
  isUnsettled: boolean,
  onVisit: (address: Address) => void,
): void {
  const visited = useRef(false);
  const visit = useRef(onVisit);

  useEffect(() => {
    visit.current = onVisit;
  });

  useEffect(() => {
    const onHistory = (): void => {
      waiting = null; // it was of the place in the history that is left
      visit.current(parseAddress(window.location.search));
    };
    window.addEventListener("popstate", onHistory);
    window.addEventListener("pagehide", settleAddress);
    if (!visited.current) {
      visited.current = true;
      onHistory();
    }
    return () => {
      waiting = null;
      window.removeEventListener("popstate", onHistory);
      window.removeEventListener("pagehide", settleAddress);
    };
  }, []);

  const { conversationId } = address;
  const query = formatAddress(address);
  const isFirst = useRef(true);
  const replacedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false; // the address as opened is read first
      return undefined;
    }
    const isElsewhere = parseAddress(window.location.search).conversationId !== conversationId;
    // Whoever comes back finds what the page showed last.
    if (isUnsettled || isElsewhere) settleAddress();
    waiting = null;
    if (isUnsettled || query === window.location.search) return undefined;
    const url = `${window.location.pathname}${query}`;
    // A conversation is a place to come back to; moving about in one is not.
    if (isElsewhere) {
      window.history.pushState(null, "", url);
      return undefined;
    }
    const replace = (): void => {
      waiting = null;
      replacedAt.current = performance.now();
      window.history.replaceState(null, "", url);
    };
    const rest = replacedAt.current + REST_MS - performance.now();
    if (rest <= 0) {
      replace();
      return undefined;
    }
    waiting = replace;
    const timer = setTimeout(() => waiting === replace && replace(), rest);
    return () => clearTimeout(timer);
  }, [conversationId, query, isUnsettled]);
}
