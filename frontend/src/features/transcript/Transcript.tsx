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
import { type Segment, segmentsOf, stepToken } from "@/model/segments";
import type { Timeline, Turn } from "@/model/timeline";
import { runningPieces } from "@/model/tokens";
import { SegmentTokens } from "./SegmentTokens";
import type { Tint } from "./tint";

interface TranscriptProps {
  readonly timeline: Timeline;
  readonly mode: Mode;
  readonly modelName: string;
  readonly tints: readonly (Tint | null)[] | null;
  readonly showTemplate: boolean;
}

/** The conversation as running text of which each token can be selected, by pointer or by arrow keys. */
export function Transcript({ timeline, mode, modelName, tints, showTemplate }: TranscriptProps) {
  const { index: selectedIndex, layer, extent, range, isExtending, select, extend } = useSelection();
  const { notes } = useNotes();
  const list = useRef<HTMLDivElement>(null);
  const isOpen = timeline.status === "streaming";
  const pieces = useMemo(() => runningPieces(timeline.tokens, isOpen), [timeline.tokens, isOpen]);
  const segments = useMemo(() => segmentsOf(timeline), [timeline]);
  const nTokens = timeline.tokens.length;
  const noteMarks = useMemo(() => tokenNoteMarks(notes, nTokens), [notes, nTokens]);
  /** Where keys move on from: the end of the range that moves. */
  const head = extent ?? selectedIndex;

  const { conversationId } = timeline;
  useLayoutEffect(() => {
    if (head === null) return;
    document.getElementById(tokenElementId(head))?.scrollIntoView({ block: "nearest" });
  }, [head, showTemplate, conversationId]);
  // A place that is selected takes over from text that was: the next note is on one of them.
  useEffect(() => {
    const selection = window.getSelection();
    if (list.current?.contains(selection?.anchorNode ?? null) === true) selection?.removeAllRanges();
  }, [selectedIndex, layer]);

  /** Shift and a click make a range of tokens, unless text is selected, which then grows as everywhere. */
  const onMouseDown = (event: MouseEvent): void => {
    if (!event.shiftKey || selectedIndex === null || window.getSelection()?.isCollapsed === false) return;
    event.preventDefault();
    list.current?.focus({ preventScroll: true });
  };

  const onClick = (event: MouseEvent): void => {
    // Selecting text to copy it ends with a click as well; it must not move the selected token.
    if (window.getSelection()?.isCollapsed === false) return;
    const option = event.target instanceof Element ? event.target.closest("[data-index]") : null;
    if (option === null) return;
    const index = Number(option.getAttribute("data-index"));
    if (event.shiftKey || isExtending) extend(index);
    else select(index);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const from = event.shiftKey ? head : selectedIndex;
    const next = tokenAfterKey(event.key, {
      selected: from,
      step: (place, step) => stepToken(timeline, showTemplate, place, step),
      list: list.current,
      element: from === null ? null : document.getElementById(tokenElementId(from)),
    });
    if (next === undefined) return;
    event.preventDefault();
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

  const hasSelected = head !== null && head < nTokens;
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
      dir={mode === "completion" ? "auto" : undefined}
      aria-activedescendant={hasSelected ? tokenElementId(head) : undefined}
      tabIndex={0}
      onMouseDown={onMouseDown}
      onClick={onClick}
      onKeyDown={onKeyDown}
      onCopy={onCopy}
      className={clsx("tokens text-title leading-7", mode === "chat" ? "space-y-4" : "whitespace-pre-wrap")}
    >
      {segments.map((segment) => {
        const tokens = chunkStarts(segment).map((start) => (
          <SegmentTokens
            key={start}
            tokens={timeline.tokens}
            pieces={pieces}
            tints={tints}
            start={start}
            end={Math.min(start + CHUNK, segment.end)}
            selectedIndex={selectedIndex}
            range={range}
            noteMarks={noteMarks}
            showTemplate={showTemplate}
          />
        ));
        const name = segmentName(segment, modelName);
        const key = `${segment.kind}-${segment.start}`;
        if (mode === "completion") {
          return (
            <span
              key={key}
              role="group"
              aria-label={name}
              className={clsx(
                segment.kind === "prompt" && tints === null ? "text-muted" : "text-ink",
                // The tints are made for one ink only, so that a second one cannot tell who wrote what.
                segment.kind === "prompt" && tints !== null && "italic",
              )}
            >
              {tokens}
            </span>
          );
        }
        return (
          <div
            key={key}
            role="group"
            aria-label={name}
            className="gap-x-4 md:grid md:grid-cols-[5.5rem_minmax(0,1fr)]"
          >
            <div aria-hidden="true" className="pt-1 text-label leading-5 font-medium text-muted select-none">
              {segment.kind === "prompt" ? "You" : <ReplyLabel turn={segment.turn} modelName={modelName} />}
            </div>
            <div dir="auto" className="min-w-0 break-words whitespace-pre-wrap">
              {tokens}
            </div>
          </div>
        );
      })}
    </div>
  );
}

/** Tokens drawn as one unit: of a reply of 1,000, a click draws the two units again that it touches. */
const CHUNK = 64;

function chunkStarts({ start, end }: Segment): number[] {
  return Array.from({ length: Math.ceil((end - start) / CHUNK) }, (_, chunk) => start + chunk * CHUNK);
}

function segmentName({ kind, turn }: Segment, modelName: string): string {
  if (kind === "prompt") return "You";
  const seed = turn.seed === null ? "" : `, seed ${turn.seed}`;
  const ending =
    turn.finish === "cancelled" ? ", stopped" : turn.finish === "interrupted" ? ", interrupted" : "";
  return `${modelName}${seed}${ending}`;
}

interface ReplyLabelProps {
  readonly turn: Turn;
  readonly modelName: string;
}

const ReplyLabel = memo(function ReplyLabel({ turn: { seed, finish }, modelName }: ReplyLabelProps) {
  return (
    <>
      <span className="block truncate text-ink">{modelName.split("/").at(-1)}</span>
      {seed !== null && <span className="mr-2 text-cell font-normal text-quiet md:block">seed {seed}</span>}
      {finish === "cancelled" && <span className="text-cell font-normal text-warn">stopped</span>}
      {finish === "interrupted" && <span className="text-cell font-normal text-warn">interrupted</span>}
    </>
  );
});
