import type { Timeline } from "@/model/timeline";
import { hasSource } from "./source";

/**
 * Whether the server can read a timeline:
 * - `ready`: it is stored, and nothing is under way
 * - `awaited`: its model is not loaded yet
 * - `deferred`: the model is busy with its reply
 * - `unsaved`: its reply failed, and what the server kept of it is not known
 */
export type Readability = "ready" | "awaited" | "deferred" | "unsaved";

/** After Stop: the server saves what was written when it notices that the connection is closed. */
const NOT_SAVED_YET = ["conversation_not_found", "position_out_of_range"];

/** Failures that pass by themselves, by how the last reply of a timeline ended. */
export function passingAfter({ turns }: Pick<Timeline, "turns">): readonly string[] {
  const ending = turns.at(-1)?.finish;
  return ending === "cancelled" || ending === "interrupted" ? NOT_SAVED_YET : [];
}

export function readability({
  status,
  ...held
}: Pick<Timeline, "status" | "conversationId" | "shipped">): Readability {
  if (status !== "settled") return "deferred";
  if (held.shipped === "awaits model") return "awaited";
  return hasSource(held) ? "ready" : "unsaved";
}
