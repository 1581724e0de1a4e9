/** What can be exported of what is measured. */
import { useViewExport } from "@/features/export/useViewExport";
import type { Intervention, Timeline } from "@/model/timeline";
import type { MeasuredRun, SteerState } from "./viewExport";

interface SteerExportParts extends Pick<SteerState, "position" | "controlSeeds" | "nLayers"> {
  readonly timeline: Timeline;
  readonly tokenId: number;
  readonly text: string | null;
  /** The change, at the chosen strength. */
  readonly interventions: readonly Intervention[];
  /** Null until they are read. */
  readonly runs: readonly MeasuredRun[] | null;
}

export function useSteerExport({
  timeline,
  tokenId,
  text,
  interventions,
  runs,
  ...measured
}: SteerExportParts): void {
  const { conversationId, tokens, turns } = timeline;
  useViewExport(
    runs === null
      ? "The probabilities are not read yet."
      : async () => {
          const { steerExport } = await import("./viewExport");
          // The server takes ids that it does not hold for a text without a reply.
          const replyStart = conversationId === null ? undefined : turns.at(-1)?.replyStart;
          return steerExport({
            ...measured,
            tokens,
            target: { id: tokenId, text: text ?? `id ${tokenId}` },
            steering: { interventions: [...interventions], reply_start: replyStart ?? tokens.length },
            runs,
          });
        },
  );
}
