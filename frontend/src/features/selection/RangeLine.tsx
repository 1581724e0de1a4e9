import { rangeWords } from "@/model/notes";
import { Button } from "@/ui/Button";
import { useSelection } from "./selection";

/** Says that several tokens are selected together, or are about to be, and ends that. */
export function RangeLine() {
  const { range, isExtending, extend, setExtending } = useSelection();
  return (
    <p role="status" className="flex items-center gap-2 text-label text-muted empty:hidden">
      {isExtending ? (
        <>
          <span className="text-accent">Press the last token of the range</span>
          <Button look="quiet" size="small" onClick={() => setExtending(false)}>
            Cancel
          </Button>
        </>
      ) : (
        range !== null && (
          <>
            Range of {rangeWords({ ...range, layer: null })}
            <Button look="quiet" size="small" onClick={() => extend(null)}>
              Clear
            </Button>
          </>
        )
      )}
    </p>
  );
}
