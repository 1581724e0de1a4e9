/** The Markdown lexer, which the page fetches when it first shows a text that is to be read as Markdown. */
import { useSyncExternalStore } from "react";
import type { Structure } from "./structure";

type Lexer = (text: string) => Structure;

let lexer: Lexer | null = null;
let loading: Promise<void> | null = null;
const listeners = new Set<() => void>();

function load(): void {
  loading ??= import("./lexMarkdown").then(
    (part) => {
      lexer = part.lexMarkdown;
      for (const listener of listeners) listener();
    },
    () => {
      loading = null; // the server is away: the text stays as it is, and the next one asks again
    },
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  load();
  return () => listeners.delete(listener);
}

const withoutLexer = () => () => undefined;

/** Null until it is there, and where it is not wanted. */
export const useLexer = (isWanted: boolean): Lexer | null =>
  useSyncExternalStore(isWanted ? subscribe : withoutLexer, () => (isWanted ? lexer : null));
