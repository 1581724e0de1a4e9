import { withByteNames } from "./bytes";
import { type ShownToken, runningPieces } from "./tokens";

/** The running form of tokens as one string, with bytes that are no character as `\x8C`. */
export const runningText = (tokens: readonly ShownToken[], isOpen = false): string =>
  runningPieces(tokens, isOpen)
    .map(({ text }) => withByteNames(text))
    .join("");
