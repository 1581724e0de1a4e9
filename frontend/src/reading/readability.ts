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

export function readability({
  status,
  ...held
}: Pick<Timeline, "status" | "conversationId" | "shipped">): Readability {
  if (status !== "settled") return "deferred";
  if (held.shipped === "awaits model") return "awaited";
  return hasSource(held) ? "ready" : "unsaved";
}
