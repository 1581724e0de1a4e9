/** What one patch does, and which part of the block it is due to. */
import { modelKey } from "@/model/identity";
import { textKey } from "@/model/textKey";
import type { ModelIdentity } from "@/model/timeline";
import { lane } from "@/reading/lens";
import { fetchPatch } from "@/reading/patching";
import type { SingleReading } from "@/reading/useReading";
import { useReadings } from "@/reading/useReadings";
import type { PatchRequest, PatchResponse } from "@/types/schemas";
import type { Cell, PatchDirection } from "./choices";
import { type PatchTexts, questionOf } from "./texts";

export type PatchPart = Pick<PatchRequest, "site" | "heads">;

/** The patched runs of one cell, in the order of the parts. */
export function usePatches(
  texts: PatchTexts,
  direction: PatchDirection,
  model: ModelIdentity | null,
  cell: Cell | null,
  parts: readonly PatchPart[],
): readonly SingleReading<PatchResponse>[] {
  const inTurn = <T>(request: () => Promise<T>): Promise<T> =>
    parts.length === 1 ? lane.first(request) : lane.afterwards(request);
  return useReadings(
    cell === null
      ? []
      : parts.map((part) => ({
          key: [
            "patch",
            modelKey(model),
            textKey(texts.a.tokens, texts.a.tokens.length),
            textKey(texts.b.tokens, texts.b.tokens.length),
            direction,
            texts.metric,
            cell,
            part,
          ],
          readable: "ready" as const,
          isAsked: true,
          ask: (signal: AbortSignal) =>
            // The parts of a block one after the other: the server lets few requests of one page wait.
            inTurn(() =>
              fetchPatch(
                {
                  ...questionOf(texts, direction),
                  ...part,
                  layer: cell.layer,
                  positions: [[cell.a, cell.b]],
                },
                model,
                signal,
              ),
            ),
        })),
  );
}
