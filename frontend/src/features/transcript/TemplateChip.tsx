import { memo } from "react";
import { formatCount } from "@/model/format";
import { templateChipId } from "./templateStops";

interface TemplateChipProps {
  /** Start of the section. */
  readonly start: number;
  /** How many template tokens there are. */
  readonly n: number;
  readonly speaker: string;
  readonly isOpen: boolean;
  /** The arrow keys are at it. */
  readonly isActive: boolean;
}

/** Stands for the tokens that the template adds to what one speaker says; opens and folds them. */
export const TemplateChip = memo(function TemplateChip(props: TemplateChipProps) {
  const { start, n, speaker, isOpen, isActive } = props;
  if (n === 0) return null;
  const count = `${formatCount(n)} ${n === 1 ? "token" : "tokens"}`;
  return (
    <span
      id={templateChipId(start)}
      role="option"
      aria-selected={false}
      aria-label={`Template, ${count}, of ${speaker}, ${isOpen ? "shown" : "folded"}`}
      title={isOpen ? "Fold the template" : "Show the template"}
      data-chip={start}
      data-active={isActive || undefined}
      className="template-chip"
    >
      {isOpen ? "▾" : "▸"} template, {count}
    </span>
  );
});
