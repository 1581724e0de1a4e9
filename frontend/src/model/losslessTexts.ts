/**
 * Texts of predicted tokens as the page passes them on: the server sends U+FFFD for bytes that are no
 * whole character, and those bytes beside it. From here on a text alone tells them.
 */
import type { components } from "@/types/api";
import { bytesFromBase64, losslessText } from "./bytes";
import type { LayerReadout } from "./timeline";

type Schemas = components["schemas"];

interface Told {
  readonly text: string;
  /** Null or left out where `text` tells everything. */
  readonly bytes?: string | null;
}

const lossless = (base64: string): string => losslessText(bytesFromBase64(base64));

export const withLosslessText = <T extends Told>(told: T): T =>
  typeof told.bytes === "string" ? { ...told, text: lossless(told.bytes) } : told;

interface Columns {
  readonly vocabulary: Readonly<Record<string, string>>;
  readonly vocabulary_bytes: Readonly<Record<string, string>>;
  readonly targets: readonly Told[];
}

export function withLosslessTexts<T extends Columns>(answer: T): T {
  const vocabulary = { ...answer.vocabulary };
  for (const [id, base64] of Object.entries(answer.vocabulary_bytes)) vocabulary[id] = lossless(base64);
  return { ...answer, vocabulary, targets: answer.targets.map(withLosslessText) };
}

export const withLosslessMatches = (
  answer: Schemas["TokenSearchResponse"],
): Schemas["TokenSearchResponse"] => ({
  ...answer,
  matches: answer.matches.map(withLosslessText),
  encoded_texts: answer.encoded_bytes.map(lossless),
});

type Event =
  | Schemas["StartEvent"]
  | Schemas["QueuedEvent"]
  | Schemas["RemoteEvent"]
  | Schemas["TokenEvent"]
  | Schemas["LensEvent"]
  | Schemas["DoneEvent"]
  | Schemas["ErrorEvent"];

export function withLosslessPredictions(event: Event): Event {
  if (event.type === "lens") return { ...event, lens: event.lens.map(withPredictions) };
  if (event.type !== "token" || event.token.lens === null) return event;
  return { ...event, token: { ...event.token, lens: event.token.lens.map(withPredictions) } };
}

const withPredictions = (readout: LayerReadout): LayerReadout => ({
  ...readout,
  predictions: readout.predictions.map(withLosslessText),
});
