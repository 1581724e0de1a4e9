import { memo } from "react";
import type { WordKind } from "./layerWords";
import { wordElementId } from "./wordName";

interface WordOptionProps {
  readonly index: number;
  readonly lead: string;
  readonly body: string;
  /** What stands in the text; null where it is not written under the word. */
  readonly actual: string | null;
  /** Null where nothing is marked. */
  readonly kind: WordKind | null;
  readonly hasChanged: boolean;
  readonly isTemplate: boolean;
  readonly isSelected: boolean;
  /** CSS colour behind the word. */
  readonly ground: string | undefined;
  readonly name: string;
}

/** One word. All it is given is compared by value, so that a step of the slider draws only what it changed. */
export const WordOption = memo(function WordOption(props: WordOptionProps) {
  const { index, lead, body, actual, kind, hasChanged, isTemplate, isSelected, ground, name } = props;
  return (
    <span
      id={wordElementId(index)}
      role="option"
      aria-selected={isSelected}
      aria-label={name}
      data-index={index}
      data-kind={kind ?? undefined}
      data-changed={hasChanged || undefined}
      data-template={isTemplate || undefined}
      className="word"
    >
      {lead}
      <span className="word-body" style={ground === undefined ? undefined : { backgroundColor: ground }}>
        {body}
      </span>
      {actual !== null && <span className="word-actual">{actual}</span>}
    </span>
  );
});
