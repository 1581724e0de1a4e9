import type { ReactNode } from "react";
import { ExportButton } from "@/features/export/ExportButton";
import { useSelection } from "@/features/selection/selection";
import { Button } from "@/ui/Button";
import { Popover, PopoverClose } from "@/ui/Popover";
import { HalfLayersToggle } from "./HalfLayersToggle";
import { LensSelect } from "./LensSelect";
import type { ViewDefinition } from "./view";
import { ViewNoteButton } from "./ViewNoteButton";

interface MoreButtonProps {
  readonly view: ViewDefinition | undefined;
  readonly children: ReactNode;
}

/** On a narrow screen, what has no room beside the token and the views. */
export function MoreButton({ view, children }: MoreButtonProps) {
  const { index, isExtending, setExtending } = useSelection();
  return (
    <Popover
      label="More"
      align="end"
      trigger={
        <Button look="quiet" icon="more" isStacked>
          More
        </Button>
      }
    >
      <div className="flex flex-col items-start gap-2">
        {/* With Shift it takes a keyboard, and by selecting text a mouse. */}
        {index !== null && (
          <PopoverClose>
            <Button
              look="quiet"
              icon="range"
              className="not-any-pointer-coarse:hidden"
              onClick={() => setExtending(!isExtending)}
            >
              Select several tokens
            </Button>
          </PopoverClose>
        )}
        {children}
        {view?.group === "read" && (
          <>
            <HalfLayersToggle />
            <LensSelect />
          </>
        )}
        <ExportButton view={view} />
        {view !== undefined && <ViewNoteButton view={view} hasWords />}
      </div>
    </Popover>
  );
}
