import { useCallback, useDeferredValue, useMemo, useState } from "react";
import { FirstToken } from "@/features/evidence/FirstToken";
import { NothingSelected } from "@/features/evidence/NothingSelected";
import { ReadAt } from "@/features/evidence/ReadAt";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { ViewProps } from "@/features/evidence/view";
import { useViewExport } from "@/features/export/useViewExport";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import { useTheme } from "@/features/settings/theme";
import { type ViewTints, useViewTints } from "@/features/transcript/viewTints";
import type { Timeline } from "@/model/timeline";
import { useAttention } from "@/reading/attention";
import { AttentionFinding } from "./AttentionFinding";
import { useAttentionChoices } from "./choices";
import { Controls } from "./Controls";
import { HeadAblation } from "./HeadAblation";
import { HeadGrid } from "./HeadGrid";
import {
  ALL_HEADS,
  type Scope,
  isSameScope,
  firstOf,
  learnedSink,
  placeOf,
  rowsOf,
  scopeOf,
  sourceValues,
} from "./heads";
import { meaningOf } from "./kinds";
import { MessageBars } from "./MessageBars";
import { messagesUpTo } from "./messages";
import { ScaleLine } from "./ScaleLine";
import { ScopeHead } from "./ScopeHead";
import { SourceList } from "./SourceList";
import { textTints } from "./textTints";

export { note } from "./note";

/** What the selected token reads, head by head. */
export default function Attention({ timeline }: ViewProps) {
  const { index } = useSelection();
  if (index === null || index >= timeline.tokens.length) {
    return <NothingSelected timeline={timeline} shows="which earlier tokens it reads, head by head" />;
  }
  return <TokenAttention timeline={timeline} index={index} />;
}

function TokenAttention({ timeline, index }: { readonly timeline: Timeline; readonly index: number }) {
  const [choices, choose] = useAttentionChoices();
  const { direction, cell, foil, sink: withSink, tint } = choices;
  const isReadBy = direction === "readBy";
  const kind = isReadBy ? "readBy" : choices.kind;
  const { place, select, selectPlace } = useSelection();
  const { model } = useServer();
  const theme = useTheme();
  const position = direction === "predictedBy" ? index - 1 : index;
  const reading = useAttention(
    timeline,
    isReadBy
      ? { position, kind: "weight", foil: "best", direction: "read_by" }
      : { position, kind: choices.kind, foil, direction: "reads" },
    model,
  );
  const answer = reading.data;
  const rows = useMemo(() => (answer === null ? null : rowsOf(answer)), [answer]);

  const [preview, setPreview] = useState<Scope | null>(null);
  const onPreview = useCallback(
    (next: Scope | null) =>
      setPreview((before) => (before !== null && next !== null && isSameScope(before, next) ? before : next)),
    [],
  );
  const selected = rows === null ? ALL_HEADS : scopeOf(place, rows);
  const locked = useSameScope(selected);
  const onLock = useCallback((scope: Scope) => selectPlace(placeOf(scope, place)), [selectPlace, place]);
  // The grid answers the pointer at once; the text of a long conversation follows.
  const shown = useDeferredValue(rows === null ? locked : (preview ?? locked));
  const values = useMemo(() => (rows === null ? [] : sourceValues(rows, shown)), [rows, shown]);
  const messages = useMemo(
    () =>
      isReadBy
        ? messagesUpTo(timeline, timeline.tokens.length - 1, position)
        : messagesUpTo(timeline, position),
    [timeline, position, isReadBy],
  );
  /** The token of the list that is under the pointer. */
  const [pointed, setPointed] = useState<number | null>(null);

  const setOn = useCallback((isOn: boolean) => choose({ tint: isOn }), [choose]);
  const { conversationId } = timeline;
  useViewTints(
    useMemo(
      (): ViewTints => ({
        label: "attention",
        hint: "What the selected token reads, or what reads it, as the Attention view draws it",
        isOn: tint,
        setOn,
        conversationId,
        ...textTints(rows, shown, { kind, withSink, pointed }),
      }),
      [rows, shown, kind, withSink, pointed, tint, setOn, conversationId],
    ),
  );
  useViewExport(
    rows === null
      ? "The attention of this token is not read yet."
      : async () => {
          const { attentionExport } = await import("./viewExport");
          return attentionExport({ timeline, rows, scope: locked, measure: cell, withSink });
        },
  );

  return (
    <div className="@container flex min-h-0 flex-1 flex-col bg-raised max-md:block max-md:overflow-y-auto">
      {rows !== null && (
        <AttentionFinding
          rows={rows}
          tokens={timeline.tokens}
          locked={locked}
          onLock={(head) => onLock({ kind: "head", ...head })}
        />
      )}
      <Controls choices={choices} onChoose={choose} />
      {position < 0 ? (
        <FirstToken timeline={timeline} onShowNext={() => choose({ direction: "predicts" })} />
      ) : (
        <div className="min-h-0 flex-1 overflow-y-auto max-md:overflow-visible">
          <p className="px-3 pt-2 text-label text-muted">{meaningOf(kind, rows)}</p>
          <ReadingFrame reading={reading} what="The rows of attention" hasData={rows !== null}>
            {rows === null ? (
              <p role="status" className="p-3 text-muted">
                Reading what each head reads…
              </p>
            ) : (
              <div className="grid gap-x-6 gap-y-3 p-3 @xl:grid-cols-[minmax(17rem,max-content)_minmax(12rem,28rem)] @xl:grid-rows-[auto_1fr]">
                <div className="flex min-w-0 flex-col gap-2">
                  <HeadGrid
                    rows={rows}
                    tokens={timeline.tokens}
                    measure={cell}
                    locked={locked}
                    theme={theme}
                    onPreview={onPreview}
                    onLock={onLock}
                  />
                  <ScaleLine
                    rows={rows}
                    theme={theme}
                    measure={cell}
                    onChoose={(measure) => choose({ cell: measure })}
                  />
                </div>
                <section aria-label="Sources" className="row-span-2 min-w-0">
                  <ScopeHead
                    rows={rows}
                    scope={shown}
                    values={values}
                    isLocked={locked.kind !== "all" && isSameScope(shown, locked)}
                    onUnlock={() => onLock(ALL_HEADS)}
                  />
                  <SourceList
                    kind={kind}
                    tokens={timeline.tokens}
                    values={values}
                    first={firstOf(rows)}
                    withSink={withSink}
                    learnedSink={learnedSink(rows, shown)}
                    onPoint={setPointed}
                    onSelect={(source) => select(source)}
                  />
                </section>
                <MessageBars kind={kind} messages={messages} values={values} withSink={withSink} />
              </div>
            )}
          </ReadingFrame>
        </div>
      )}
      {rows !== null && model !== null && !isReadBy && locked.kind === "head" && (
        <HeadAblation
          key={JSON.stringify([position, locked])}
          timeline={timeline}
          model={model}
          position={position}
          block={locked.block}
          head={locked.head}
          values={sourceValues(rows, locked)}
          second={place.kind === "head" ? place.second : null}
        />
      )}
      {position >= 0 && !isReadBy && (
        <p className="shrink-0 truncate border-t border-line px-3 py-0.5 text-label text-muted">
          <ReadAt tokens={timeline.tokens} position={position} />
        </p>
      )}
    </div>
  );
}

/** The same object while it is the same scope. */
function useSameScope(scope: Scope): Scope {
  const [held, setHeld] = useState(scope);
  if (isSameScope(held, scope)) return held;
  setHeld(scope);
  return scope;
}
