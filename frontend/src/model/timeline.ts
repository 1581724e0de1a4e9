/**
 * The token timeline of one conversation: exactly the ids the model was fed, each with its absolute
 * index. Text, lens, heatmap and URL all refer to it; nothing decodes and tokenises again.
 */
import type { components } from "@/types/api";

type Schemas = components["schemas"];
export type ModelIdentity = Schemas["ModelIdentity"];

export type Token = Schemas["Token"];
export type Role = Token["role"];
export type LayerReadout = Schemas["LayerReadout"];
export type Intervention = Schemas["Intervention"];
/** What a branch is computed under. */
export type Steering = Schemas["Steering"];
export type FinishReason = Schemas["DoneEvent"]["finish_reason"];

export interface Turn {
  /** Index of the first token that the request of this turn added; `from_index` to edit it. */
  readonly promptStart: number;
  /** Index of the first token of the reply; `from_index` to regenerate it. */
  readonly replyStart: number;
  /** What the person typed, as typed; null for a conversation that was reopened. */
  readonly userText: string | null;
  /** Null where it is not known. */
  readonly seed: number | null;
  readonly finish: FinishReason | null;
}

/**
 * - `empty`: no token yet
 * - `waiting`: sent, the server has not started (queued or reading the prompt)
 * - `streaming`: tokens of the reply arrive
 * - `settled`: nothing is under way; the ids are final until the next turn
 */
export type TimelineStatus = "empty" | "waiting" | "streaming" | "settled";

export interface Timeline {
  /** Null before the first reply started, and where the server holds nothing of it any more. */
  readonly conversationId: string | null;
  /** The model that computed it; null before the first reply started. */
  readonly model: ModelIdentity | null;
  /** `tokens[i].index === i`, without gaps. */
  readonly tokens: readonly Token[];
  readonly turns: readonly Turn[];
  readonly status: TimelineStatus;
  /**
   * What it is computed under; left out for the plain model. A branch keeps it for good, so that its id
   * names the run as well.
   */
  readonly steering?: Steering;
  /** Of an example that the server does not hold: whether it can be read by its ids yet. */
  readonly shipped?: "awaits model" | "readable";
}
