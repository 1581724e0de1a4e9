import type { ReactNode } from "react";
import { Button } from "@/ui/Button";

interface ExampleStepProps {
  readonly view: string;
  readonly onShow: () => void;
  readonly children: ReactNode;
}

/** A finding of a worked example, with the view that shows it. */
export function ExampleStep({ view, onShow, children }: ExampleStepProps) {
  return (
    <li className="flex items-start gap-3">
      <Button className="w-28 shrink-0 px-2" aria-label={`Show it in ${view}`} onClick={onShow}>
        {view}
      </Button>
      <span className="min-w-0 py-1.5">{children}</span>
    </li>
  );
}
