import { NotRead } from "@/features/evidence/NotRead";
import { Button } from "@/ui/Button";
import type { Lines } from "./useLines";

/** Predictions of each layer that come with a token of a reply. */
const TOP_STREAMED = 5;

/** How many of the lines are read, and what stops the reading and goes on with it. */
export function LinesProgress({ lines }: { readonly lines: Lines }) {
  const { series, status } = lines;
  const nPartial = series.filter((each) => each.curve?.isPartial).length;
  const nFull = series.filter((each) => each.curve !== null).length - nPartial;
  return (
    <>
      <p role="status">
        {status === "loading" && "Reading…"}
        {status === "cancelled" && "Reading was stopped; what is missing is not drawn."}
        {status === "deferred" && nFull > 0 ? (
          <>
            Generating: {nFull} of {series.length} {series.length === 1 ? "line" : "lines"} in full
            {nPartial > 0 && `, ${nPartial} where the token is in the top ${TOP_STREAMED}`}.
          </>
        ) : (
          <NotRead status={status} what="The missing lines" />
        )}
      </p>
      {lines.isReading && (
        <Button size="small" onClick={lines.cancel}>
          Stop reading
        </Button>
      )}
      {status === "cancelled" && (
        <Button size="small" onClick={lines.retry}>
          Read on
        </Button>
      )}
    </>
  );
}
