import clsx from "clsx";
import { type KeyboardEvent, type MouseEvent, memo, useLayoutEffect, useMemo, useRef } from "react";
import { isBrowserCommand } from "@/base/keys";
import type { Span } from "@/base/span";
import { stepAmong, tokenAfterKey } from "@/features/selection/tokenSelection";
import { tintOf } from "@/features/transcript/tint";
import type { Token } from "@/model/timeline";
import type { LensColumns } from "@/reading/columns";
import type { LayersChoices } from "./choices";
import type { LayerWord } from "./layerWords";
import type { Passage } from "./passages";
import { formOf, isInText } from "./shownForm";
import { useVisibleWords } from "./useVisibleWords";
import type { WordForms } from "./wordForms";
import { wordElementId, wordName } from "./wordName";
import { WordOption } from "./WordOption";

interface LayerTextProps {
  readonly label: string;
  readonly modelName: string;
  readonly passages: readonly Passage[];
  /** One for each index of the passages, in their order. */
  readonly words: readonly LayerWord[];
  readonly indices: readonly number[];
  readonly tokens: readonly Token[];
  readonly columns: LensColumns;
  readonly forms: WordForms;
  readonly choices: LayersChoices;
  readonly selectedIndex: number | null;
  /** Something of the conversation is not read yet: what is on the screen is wanted first. */
  readonly isIncomplete: boolean;
  readonly onSelect: (index: number) => void;
  readonly onPoint: (index: number | null) => void;
  readonly onVisible: (span: Span) => void;
}

/** The text in the words of one layer. Each can be selected, by pointer or by arrow keys. */
export const LayerText = memo(function LayerText(props: LayerTextProps) {
  const { label, modelName, passages, words, indices, tokens, columns, forms, choices } = props;
  const { selectedIndex, isIncomplete, onSelect, onPoint, onVisible } = props;
  const list = useRef<HTMLDivElement>(null);
  useVisibleWords(list, indices, isIncomplete, onVisible);
  const byIndex = useMemo(() => new Map(words.map((word) => [word.index, word])), [words]);
  const selected = selectedIndex !== null && byIndex.has(selectedIndex) ? selectedIndex : null;

  useLayoutEffect(() => {
    if (selected !== null) wordElement(selected)?.scrollIntoView({ block: "nearest" });
  }, [selected]);

  const onClick = (event: MouseEvent): void => {
    // Selecting text to copy it ends with a click as well; it must not move the selected token.
    if (window.getSelection()?.isCollapsed === false) return;
    const index = indexUnder(event);
    if (index === null) return;
    onSelect(index);
    onPoint(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const next = tokenAfterKey(event.key, {
      // From a token that is not shown here, on to the nearest that is.
      selected: selectedIndex,
      step: (from, step) => stepAmong(indices, from, step),
      list: list.current,
      element: selected === null ? null : wordElement(selected),
    });
    if (next === undefined) return;
    event.preventDefault();
    if (next !== null) onSelect(next);
  };

  const option = (index: number) => {
    const word = byIndex.get(index);
    if (word === undefined) return null;
    const { kind, probability, hasChanged } = word;
    const actual = forms.actual(index);
    const form = formOf(word, forms, columns, byIndex);
    return (
      <WordOption
        key={index}
        index={index}
        lead={form.lead}
        body={form.body}
        actual={choices.hasActual && !isInText(word) ? actual.lead + actual.body : null}
        kind={choices.hasMarks || kind === "first" || kind === "unread" ? kind : null}
        hasChanged={choices.hasChanges && hasChanged}
        isTemplate={tokens[index]?.role === "template"}
        isSelected={index === selected}
        ground={choices.hasTint && !Number.isNaN(probability) ? tintOf(probability, 1).background : undefined}
        name={wordName(word, form.body, actual.body)}
      />
    );
  };

  return (
    <div
      ref={list}
      role="listbox"
      aria-label={label}
      aria-orientation="horizontal"
      aria-activedescendant={selected === null ? undefined : wordElementId(selected)}
      tabIndex={0}
      onClick={onClick}
      onKeyDown={onKeyDown}
      // Not when words only come to lie under a pointer that rests, as after each step of the slider.
      onPointerMove={(event) => onPoint(indexUnder(event))}
      onPointerLeave={() => onPoint(null)}
      className={clsx("layer-words space-y-3 text-title", choices.hasActual && "layer-words-double")}
    >
      {passages.map(({ start, kind, lines }) => {
        const name = kind === "prompt" ? "You" : modelName;
        return (
          <div key={start} role="group" aria-label={name}>
            {passages.length > 1 && (
              <div aria-hidden="true" className="truncate text-label font-medium text-muted select-none">
                {name.split("/").at(-1)}
              </div>
            )}
            {lines.map((line) => (
              <div key={line[0]} className="layer-line">
                {line.map(option)}
              </div>
            ))}
          </div>
        );
      })}
    </div>
  );
});

const wordElement = (index: number): HTMLElement | null => document.getElementById(wordElementId(index));

function indexUnder(event: { readonly target: EventTarget }): number | null {
  const word = event.target instanceof Element ? event.target.closest("[data-index]") : null;
  return word === null ? null : Number(word.getAttribute("data-index"));
}
