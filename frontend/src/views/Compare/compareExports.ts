import type { OpenView } from "@/features/export/useViewExport";
import type { CompareState } from "./choices";
import { DIFFERENCES } from "./differences";
import type { ComparedTimelines } from "./useComparedTimelines";
import type { Differences } from "./useDifferences";

interface CompareExportParts {
  readonly both: ComparedTimelines;
  readonly state: CompareState;
  readonly differences: Differences;
}

/** What can be exported of the comparison, and its commands in the palette. */
export function compareExports({ both, state, differences }: CompareExportParts): OpenView {
  const { drawn, pairs, side, difference } = both;
  const { change } = state;
  const isKl = difference.id === "kl_a_to_b" || difference.id === "kl_b_to_a";
  return {
    viewExport:
      drawn === null || pairs.read === 0
        ? "The two are not compared yet."
        : async () => {
            const { compareExport } = await import("./viewExport");
            const made = compareExport({
              a: both.timeline.tokens,
              b: side.tokens,
              otherConversationId: "conversation_id" in side.source ? side.source.conversation_id : null,
              otherTitle: side.title,
              lensB: both.lensB,
              alignment: both.alignment,
              compared: drawn.compared,
              difference,
              scale: drawn.scale,
              layers: both.layers,
              layerLabels: both.layerLabels,
              textOf: both.textOf,
              shown: differences.gridWindow.get(),
            });
            const { steering, tokens } = side;
            return steering === undefined ? made : { ...made, other: { steering, tokens } };
          },
    commands: [
      ...DIFFERENCES.map(({ id, name }) => ({
        label: `Compare by ${name}`,
        run: () => change({ difference: id }),
      })),
      ...(isKl
        ? [
            {
              label: "Swap the direction of KL",
              run: () => change({ difference: difference.id === "kl_a_to_b" ? "kl_b_to_a" : "kl_a_to_b" }),
            },
          ]
        : []),
      { label: "Go to the next difference", run: () => differences.step(1) },
      { label: "Go to the previous difference", run: () => differences.step(-1) },
    ],
  };
}
