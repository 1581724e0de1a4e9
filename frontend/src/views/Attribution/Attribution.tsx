import { DIRECTIONS } from "@/features/evidence/direction";
import { FirstToken } from "@/features/evidence/FirstToken";
import { NothingSelected } from "@/features/evidence/NothingSelected";
import { ReadAt } from "@/features/evidence/ReadAt";
import type { ViewProps } from "@/features/evidence/view";
import { useSelection } from "@/features/selection/selection";
import { Segmented } from "@/ui/Segmented";
import { useAttributionChoices } from "./choices";
import { TokenParts } from "./TokenParts";

export { note } from "./note";

/** What wrote the prediction of the selected token: signed parts that add up to its logit. */
export default function Attribution({ timeline }: ViewProps) {
  const { index } = useSelection();
  const [{ direction }, choose] = useAttributionChoices(timeline.conversationId);
  if (index === null || index >= timeline.tokens.length) {
    return <NothingSelected timeline={timeline} shows="which parts of the model wrote its prediction" />;
  }
  const isFirst = direction === "predictedBy" && index === 0;
  const position = direction === "predictedBy" ? index - 1 : index;
  return (
    <div className="@container flex min-h-0 flex-1 flex-col bg-raised max-md:block max-md:overflow-y-auto">
      {isFirst ? (
        <FirstToken timeline={timeline} onShowNext={() => choose({ direction: "predicts" })} />
      ) : (
        <TokenParts
          timeline={timeline}
          position={position}
          controls={
            <Segmented
              label="Direction"
              value={direction}
              options={DIRECTIONS}
              onChange={(value) => choose({ direction: value })}
            />
          }
        />
      )}
      {!isFirst && (
        <p className="shrink-0 truncate border-t border-line px-3 py-0.5 text-label text-muted">
          <ReadAt tokens={timeline.tokens} position={position} />
        </p>
      )}
    </div>
  );
}
