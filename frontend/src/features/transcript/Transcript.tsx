import clsx from "clsx";
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type MouseEvent,
  memo,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { isBrowserCommand } from "@/base/keys";
import type { Mode } from "@/features/chat/chatState";
import { useNotes } from "@/features/notes/notes";
import { useSelection } from "@/features/selection/selection";
import {
  TRANSCRIPT_ID,
  selectedTokenText,
  tokenAfterKey,
  tokenElementId,
} from "@/features/selection/tokenSelection";
import { tokenNoteMarks } from "@/model/notes";
import { stepToken } from "@/model/segments";
import type { Timeline, Token, Turn } from "@/model/timeline";
import { runningPieces } from "@/model/tokens";
import { useLexer } from "./markdown/lexer";
import { SectionText } from "./SectionText";
import { type Section, sectionsOf } from "./sections";
import { TemplateChip } from "./TemplateChip";
import { stopAfter, templateChipId } from "./templateStops";
import type { Tint } from "./tint";

interface TranscriptProps {
  readonly timeline: Timeline;
  readonly mode: Mode;
  readonly modelName: string;
  readonly tints: readonly (Tint | null)[] | null;
  /** All of the template is shown; otherwise a chip for each turn stands for it. */
  readonly showTemplate: boolean;
  /** Laid out by its Markdown, of which no character is left out. */
  readonly isReading: boolean;
}

/** The conversation as running text of which each token can be selected, by pointer or by arrow keys. */
export function Transcript(props: TranscriptProps) {
  const { timeline, mode, modelName, tints, showTemplate, isReading } = props;
  const { conversationId, tokens } = timeline;
  const { index: selectedIndex, layer, extent, range, isExtending, select, extend } = useSelection();
  const { notes } = useNotes();
  const list = useRef<HTMLDivElement>(null);
  const isOpen = timeline.status === "streaming";
  const pieces = useMemo(() => runningPieces(tokens, isOpen), [tokens, isOpen]);
  const sections = useMemo(() => sectionsOf(timeline), [timeline]);
  const nTokens = tokens.length;
  const noteMarks = useMemo(() => tokenNoteMarks(notes, nTokens), [notes, nTokens]);
  const lex = useLexer(mode === "chat" && isReading);
  /** Where keys move on from: the end of the range that moves. */
  const head = extent ?? selectedIndex;
  /** Starts of the sections whose template was opened by its chip. */
  const [opened, setOpened] = useState<{ readonly of: string | null; readonly starts: readonly number[] }>({
    of: conversationId,
    starts: [],
  });
  const openStarts = opened.of === conversationId ? opened.starts : [];
  /** The chip that the arrows moved to, in place of a token. */
  const [chip, setChip] = useState<number | null>(null);

  useLayoutEffect(() => {
    if (head === null) return;
    document.getElementById(tokenElementId(head))?.scrollIntoView({ block: "nearest" });
  }, [head, showTemplate, conversationId]);
  // A place that is selected takes over from text that was: the next note is on one of them.
  useEffect(() => {
    const selection = window.getSelection();
    if (list.current?.contains(selection?.anchorNode ?? null) === true) selection?.removeAllRanges();
  }, [selectedIndex, layer]);

  /** A selected token is always shown, also one of the template. */
  const isShownTemplate = ({ start, end }: Section): boolean =>
    showTemplate ||
    openStarts.includes(start) ||
    (head !== null && head >= start && head < end && tokens[head]?.role === "template");

  const toggle = (section: Section): void => {
    const { start } = section;
    const isShown = isShownTemplate(section);
    setOpened({
      of: conversationId,
      starts: isShown ? openStarts.filter((other) => other !== start) : [...openStarts, start],
    });
    // Folded, the template cannot hold the selection.
    if (
      isShown &&
      head !== null &&
      head >= start &&
      head < section.end &&
      tokens[head]?.role === "template"
    ) {
      const after = stepToken(timeline, false, head, 1);
      select(after === head ? stepToken(timeline, false, head, -1) : after);
    }
    setChip(start);
  };

  /** Shift and a click make a range of tokens, unless text is selected, which then grows as everywhere. */
  const onMouseDown = (event: MouseEvent): void => {
    if (!event.shiftKey || selectedIndex === null || window.getSelection()?.isCollapsed === false) return;
    event.preventDefault();
    list.current?.focus({ preventScroll: true });
  };

  const onClick = (event: MouseEvent): void => {
    // Selecting text to copy it ends with a click as well; it must not move the selected token.
    if (window.getSelection()?.isCollapsed === false) return;
    const option = event.target instanceof Element ? event.target.closest("[data-index], [data-chip]") : null;
    const section = sections.find(({ start }) => `${start}` === option?.getAttribute("data-chip"));
    if (section !== undefined) toggle(section);
    if (option?.hasAttribute("data-index") !== true) return;
    const index = Number(option.getAttribute("data-index"));
    setChip(null);
    if (event.shiftKey || isExtending) extend(index);
    else select(index);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    // In a block of code that has the focus, arrow keys scroll it.
    if (isBrowserCommand(event) || event.target !== list.current) return;
    const section = sections.find(({ start }) => start === chip);
    if (section !== undefined && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      toggle(section);
      return;
    }
    const from = event.shiftKey ? head : selectedIndex;
    const stop = event.shiftKey ? null : stopAfter(event.key, list.current, chip, from);
    if (stop?.kind === "chip") {
      event.preventDefault();
      setChip(stop.start);
      document.getElementById(templateChipId(stop.start))?.scrollIntoView({ block: "nearest" });
      return;
    }
    const next =
      stop?.index ??
      tokenAfterKey(event.key, {
        selected: from,
        step: (place, step) => stepToken(timeline, showTemplate, place, step),
        list: list.current,
        element: document.getElementById(chip === null ? tokenElementId(from ?? -1) : templateChipId(chip)),
      });
    if (next === undefined) return;
    event.preventDefault();
    setChip(null);
    if (next === null) return;
    if (event.shiftKey) extend(next);
    else select(next);
  };

  const onCopy = (event: ClipboardEvent): void => {
    const selection = window.getSelection();
    if (selection === null || selection.isCollapsed || list.current === null) return;
    const text = selectedTokenText(list.current, selection.getRangeAt(0));
    if (text === null) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  };

  const looks = { tokens, pieces, tints, selectedIndex, range, noteMarks };
  const isTokenActive = head !== null && head < nTokens;
  const activeId = chip !== null ? templateChipId(chip) : isTokenActive ? tokenElementId(head) : undefined;
  return (
    <div
      ref={list}
      id={TRANSCRIPT_ID}
      role="listbox"
      aria-multiselectable
      data-tour="tokens"
      aria-label="Tokens of the conversation"
      aria-orientation="horizontal"
      // In a completion text and continuation are one, and so is their direction.
      lang=""
      dir={mode === "completion" ? "auto" : undefined}
      aria-activedescendant={activeId}
      tabIndex={0}
      onMouseDown={onMouseDown}
      onClick={onClick}
      onKeyDown={onKeyDown}
      onBlur={() => setChip(null)}
      onCopy={onCopy}
      className={clsx(
        "tokens",
        mode === "chat" ? "space-y-4" : "tokens-completion",
        mode === "chat" && !isReading && "tokens-source",
      )}
    >
      {sections.map((section, number) => {
        const { speaker, start, turn } = section;
        const name = sectionName(section, modelName);
        const key = `${speaker}-${number}`;
        const hasTemplate = isShownTemplate(section);
        const text = (
          <SectionText
            {...looks}
            section={section}
            hasTemplate={hasTemplate}
            lex={lex}
            isInline={mode === "completion"}
          />
        );
        if (mode === "completion") {
          return (
            <span
              key={key}
              role="group"
              aria-label={name}
              className={clsx(speaker !== "model" && "tokens-own")}
            >
              {text}
            </span>
          );
        }
        return (
          <div key={key} role="group" aria-label={name}>
            <div className="flex min-h-5 flex-wrap items-center gap-x-2 pb-0.5 text-label select-none">
              <SpeakerLabel speaker={speaker} turn={turn} modelName={modelName} />
              {!showTemplate && (
                <TemplateChip
                  start={start}
                  n={templateLength(tokens, section)}
                  speaker={name}
                  isOpen={hasTemplate}
                  isActive={chip === start}
                />
              )}
            </div>
            <div className="max-w-[66ch] min-w-0">{text}</div>
          </div>
        );
      })}
    </div>
  );
}

const templateLength = (tokens: readonly Token[], { start, end }: Section): number => {
  let n = 0;
  for (let index = start; index < end; index += 1) if (tokens[index]?.role === "template") n += 1;
  return n;
};

function sectionName({ speaker, turn }: Section, modelName: string): string {
  if (speaker !== "model") return speaker === "user" ? "You" : "System";
  const seed = turn.seed === null ? "" : `, seed ${turn.seed}`;
  const ending =
    turn.finish === "cancelled" ? ", stopped" : turn.finish === "interrupted" ? ", interrupted" : "";
  return `${modelName}${seed}${ending}`;
}

interface SpeakerLabelProps {
  readonly speaker: Section["speaker"];
  readonly turn: Turn;
  readonly modelName: string;
}

const SpeakerLabel = memo(function SpeakerLabel({ speaker, turn, modelName }: SpeakerLabelProps) {
  return (
    <span aria-hidden="true" className="flex min-w-0 items-center gap-x-2 font-medium text-muted">
      {speaker === "model" ? (
        <span className="truncate text-ink">{modelName.split("/").at(-1)}</span>
      ) : speaker === "user" ? (
        "You"
      ) : (
        "System"
      )}
      {speaker === "model" && turn.finish === "cancelled" && (
        <span className="font-normal text-warn">stopped</span>
      )}
      {speaker === "model" && turn.finish === "interrupted" && (
        <span className="font-normal text-warn">interrupted</span>
      )}
    </span>
  );
});
