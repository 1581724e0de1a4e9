import clsx from "clsx";
import { type CSSProperties, Suspense, useCallback, useState } from "react";
import type { Address } from "@/features/address/address";
import { useAddress } from "@/features/address/useAddress";
import { useChat, useChatActions, useChatMarks, useChatNow } from "@/features/chat/chat";
import { type ChatKey, type ChatState, type Mode, isKept, shownId } from "@/features/chat/chatState";
import { ConversationPane } from "@/features/chat/ConversationPane";
import { useShownChoices, visitChoices } from "@/features/choices/choices";
import { EvidencePanel } from "@/features/evidence/EvidencePanel";
import { useViewOpener } from "@/features/evidence/showView";
import { useOpenView } from "@/features/evidence/viewGroups";
import { useFirstVisit } from "@/features/examples/useOpening";
import { Divider } from "@/features/layout/Divider";
import { EvidenceSheet } from "@/features/layout/EvidenceSheet";
import { COMPOSER_ID, useEvidenceSheet } from "@/features/layout/evidenceSheet";
import { useSidebar, useSplit } from "@/features/layout/preferences";
import { useConversationFacts, useLibraryFollowing, useLibraryReturn } from "@/features/library/library";
import { SidebarFrame } from "@/features/library/SidebarFrame";
import { useNotes } from "@/features/notes/notes";
import { useBeginNote } from "@/features/notes/noteWriting";
import { useInlineDraft } from "@/features/notes/useInlineDraft";
import { PairChip } from "@/features/pair/PairChip";
import { useShownPair, visitPair, withoutPair } from "@/features/pair/pair";
import { pinnedIds } from "@/features/pins/pins";
import { usePinSaving } from "@/features/pins/pinSaving";
import { usePinKeeping, usePins } from "@/features/pins/pinsContext";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import { ServerNotice } from "@/features/server/ServerNotice";
import { useLensInUse } from "@/features/settings/lensKind";
import { useSettings } from "@/features/settings/settings";
import { type ShortcutMap, useCommandKey, useShortcuts } from "@/features/shortcuts/shortcuts";
import { layerStep } from "@/model/layers";
import { lensInUse } from "@/model/lenses";
import { atLayer } from "@/model/place";
import { stepToken } from "@/model/segments";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { FailedNotice } from "@/ui/FailedNotice";
import { useKeptFocus } from "@/ui/keptFocus";
import { lazyPart, patientPart } from "@/ui/lazyPart";
import { useIsNarrow } from "@/ui/media";
import { Header } from "./Header";
import { VIEWS } from "./views";

const ShortcutSheet = lazyPart(() => import("@/features/shortcuts/ShortcutSheet"));
const CommandPalette = lazyPart(() => import("@/features/palette/CommandPalette"));
const NoteEditor = lazyPart(() => import("@/features/notes/NoteEditor"));
// It is there before it is needed: where the server is away, an export fails, and that is said here.
const ExportOutcome = patientPart(() => import("@/features/export/ExportOutcome"));
const Tour = lazyPart(() => import("@/features/tour/Tour"));

const FIRST_VIEW = VIEWS[0]?.id;

/** A branch that may come to nothing is no place to come back to. */
const mayComeToNothing = (chat: ChatState): boolean =>
  chat.timeline.status === "waiting" || (chat.pending !== null && !isKept(chat));

/** The whole page: header, conversation, evidence, and what connects them. */
export function Shell() {
  const server = useServer();
  const mode = useChat((chat) => chat.mode);
  const currentId = useChat(shownId);
  const wholeId = useChat((chat) => chat.wholeId);
  const isUnsettled = useChat(mayComeToNothing);
  const chatNow = useChatNow();
  const actions = useChatActions();
  const { settings, visit: visitSettings } = useSettings();
  const { place, index, layer, extent, isExtending, select, selectPlace, extend, setExtending } =
    useSelection();
  const { draft, setDraft } = useNotes();
  const beginNote = useBeginNote();
  const pins = usePins();
  const { visit: visitPins } = usePinKeeping();
  const [split, changeSplit] = useSplit();
  const [hasSidebar, showSidebar] = useSidebar();
  const [hasSheet, showSheet] = useState(false);
  const marks = useChatMarks();
  const isNarrow = useIsNarrow();
  const evidenceSheet = useEvidenceSheet(currentId, index);
  const facts = useConversationFacts();
  const { viewId, open: openView, openGroup, suggest: suggestView } = useOpenView(VIEWS);
  useViewOpener(openView);
  const [showsShortcuts, setShowsShortcuts] = useState(false);
  const [showsPalette, setShowsPalette] = useState(false);
  const [isOnTour, setIsOnTour] = useState(false);

  const startNew = useCallback(
    (newMode: Mode) => {
      select(null, null);
      actions.startNew(newMode);
      document.getElementById(COMPOSER_ID)?.focus();
    },
    [actions, select],
  );

  // The header and the list get the same functions at every token, or they would be rendered with each.
  const startSame = useCallback(() => startNew(mode), [startNew, mode]);
  const startFromList = useCallback(() => {
    showSheet(false);
    startNew(mode);
  }, [startNew, mode]);
  const openShortcuts = useCallback(() => setShowsShortcuts(true), []);
  const openPalette = useCallback(() => setShowsPalette(true), []);
  const toggleSidebar = useCallback(() => showSidebar(!hasSidebar), [showSidebar, hasSidebar]);
  const openSheet = useCallback(() => showSheet(true), []);
  const closeSheet = useCallback(() => showSheet(false), []);
  const showCompare = useCallback(() => openView("compare"), [openView]);
  const startTour = useCallback(() => setIsOnTour(true), []);

  useLibraryFollowing();
  useLibraryReturn(server);
  const unsavedPins = usePinSaving();
  const { flush: savePins } = unsavedPins;
  const openConversation = useCallback(
    (id: string) => {
      select(null, null);
      savePins();
      visitPins(id, { token_ids: [], positions: [] });
      actions.reopen(id);
      showSheet(false);
    },
    [actions, select, savePins, visitPins],
  );
  const showRunning = useCallback(
    (key: ChatKey) => {
      select(null, null);
      savePins();
      actions.show(key);
      showSheet(false);
    },
    [actions, select, savePins],
  );
  // Where the page is, for what was asked of the list and is answered when the person may have gone on.
  const here = useCallback(() => {
    const chat = chatNow();
    return `${chat.key} ${shownId(chat) ?? ""} ${chat.pending === null}`;
  }, [chatNow]);

  const { token_ids, positions } = pinnedIds(pins.state);
  const address: Address = {
    conversationId: currentId,
    viewId: viewId === FIRST_VIEW ? null : viewId,
    lens: server.model === null ? settings.lens : lensInUse(settings.lens, server.model.lenses),
    halfLayers: settings.halfLayers,
    place,
    pins: token_ids,
    positions,
    choices: { ...useShownChoices(viewId), ...useShownPair() },
  };
  useAddress(address, isUnsettled, (visited) => {
    openView(visited.viewId);
    selectPlace(visited.place);
    if (visited.conversationId !== null) {
      // The same address shows the same numbers, whatever was chosen here last.
      visitSettings({ lens: visited.lens, halfLayers: visited.halfLayers });
      visitChoices(
        VIEWS.find((view) => view.id === visited.viewId)?.id ?? FIRST_VIEW ?? "",
        withoutPair(visited.choices),
        visited.conversationId,
      );
      visitPair(visited.choices, visited.conversationId);
      savePins();
      visitPins(visited.conversationId, { token_ids: visited.pins, positions: visited.positions });
    }
    if (visited.conversationId === currentId) return;
    if (visited.conversationId === null) actions.startNew(mode);
    else actions.reopen(visited.conversationId);
  });

  // Pins, notes and a steered reply belong to a saved conversation.
  const needsSaving = token_ids.length + positions.length > 0 || draft !== null || viewId === "steer";
  const { isAwaited, isDrawing, endDrawing } = useFirstVisit(server, needsSaving, VIEWS, suggestView);

  const nLayers = server.model?.num_layers ?? 0;
  const { hasHalf } = useLensInUse();
  const moveToken = (step: 1 | -1): void =>
    select(stepToken(chatNow().timeline, settings.showTemplate, index, step) ?? index);
  const moveExtent = (step: 1 | -1): void =>
    extend(stepToken(chatNow().timeline, settings.showTemplate, extent ?? index, step));
  // While no layer is chosen it is the last one that is read.
  const moveLayer = (direction: 1 | -1): void => {
    const step = layerStep(hasHalf && place.kind !== "block" && place.kind !== "head");
    selectPlace(atLayer(place, Math.min(nLayers, Math.max(0, (layer ?? nLayers) + direction * step))));
  };
  const keys: ShortcutMap = {
    "[": () => moveToken(-1),
    "]": () => moveToken(1),
    "{": () => moveExtent(-1),
    "}": () => moveExtent(1),
    j: () => moveLayer(-1),
    k: () => moveLayer(1),
    n: beginNote,
    "/": () => document.getElementById(COMPOSER_ID)?.focus(),
    "?": () => setShowsShortcuts(true),
    ...Object.fromEntries(
      VIEWS.flatMap(({ id, shortcut }) => (shortcut === null ? [] : [[shortcut, () => openView(id)]])),
    ),
  };
  const onEscape = (): void => {
    if (chatNow().pending !== null) actions.stop();
    else if (isExtending) setExtending(false);
    else if (extent !== null) extend(null);
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  };
  useShortcuts(keys, onEscape, settings.shortcuts);
  useKeptFocus();
  useCommandKey(() => setShowsPalette((isOpen) => !isOpen));

  const isNoteInline = useInlineDraft(!isNarrow && split.maximised !== "conversation");
  const noteEditor = draft !== null && (
    <ErrorBoundary onClose={() => setDraft(null)}>
      <NoteEditor draft={draft} isInline={isNoteInline} />
    </ErrorBoundary>
  );
  const toggle = (side: "conversation" | "evidence") => (): void =>
    changeSplit({ maximised: split.maximised === side ? null : side });
  const splitStyle: CSSProperties & Record<"--split", string> = { "--split": `${split.percent}%` };

  return (
    <div
      data-opening={isDrawing || undefined}
      onAnimationEnd={({ animationName }) => animationName === "draw-line" && endDrawing()}
      className="flex h-dvh flex-col overflow-hidden pb-[env(safe-area-inset-bottom)]"
    >
      <Header
        server={server}
        onStartNew={startSame}
        onShowHelp={openShortcuts}
        onShowPalette={openPalette}
        hasSidebar={hasSidebar}
        onToggleSidebar={toggleSidebar}
        onOpenSheet={openSheet}
      />
      <ServerNotice {...server} />
      <div className="flex min-h-0 flex-1">
        <SidebarFrame
          isOpen={hasSidebar}
          isSheetOpen={hasSheet}
          onCloseSheet={closeSheet}
          onShowPalette={openPalette}
          onStartTour={startTour}
          currentId={currentId}
          currentConversationId={facts?.conversation_id ?? wholeId}
          model={server.model}
          marks={marks}
          isOffline={server.phase === "lost"}
          here={here}
          onOpen={openConversation}
          onShow={showRunning}
          onStartNew={startFromList}
          onDeleted={actions.forget}
        />
        <main className="flex min-h-0 min-w-0 flex-1 max-md:flex-col" style={splitStyle}>
          <div
            {...evidenceSheet.follow}
            className={clsx(
              "flex min-h-0 min-w-0 max-md:flex-1 max-md:overflow-hidden",
              split.maximised === "evidence" && "md:hidden",
              split.maximised === "conversation" ? "md:flex-1" : "md:w-(--split) md:shrink-0",
            )}
          >
            <ErrorBoundary>
              <ConversationPane
                server={server}
                facts={facts}
                isOpeningAwaited={isAwaited}
                unsavedPins={
                  unsavedPins.failed !== null && (
                    <div className="mb-2">
                      <FailedNotice {...unsavedPins.failed} onDismiss={unsavedPins.dismiss} />
                    </div>
                  )
                }
                isComposerSlim={evidenceSheet.isComposerSlim}
                isMaximised={split.maximised === "conversation"}
                onToggleMaximise={toggle("conversation")}
                onShowView={(id) => {
                  openView(id);
                  // Its token may be selected already, and the sheet closed.
                  if (evidenceSheet.height === "closed") evidenceSheet.resize("half");
                }}
                onStartTour={() => setIsOnTour(true)}
                onNew={startSame}
              />
            </ErrorBoundary>
          </div>
          {split.maximised === null && (
            <Divider percent={split.percent} onChange={(percent) => changeSplit({ percent })} />
          )}
          <EvidenceSheet
            height={evidenceSheet.height}
            onResize={evidenceSheet.resize}
            className={clsx(split.maximised === "conversation" && "md:hidden")}
          >
            {(sheetControls) => (
              <EvidencePanel
                views={VIEWS}
                viewId={viewId}
                isOpeningAwaited={isAwaited}
                sheetControls={sheetControls}
                isMaximised={split.maximised === "evidence"}
                onChangeView={openView}
                onOpenGroup={openGroup}
                onToggleMaximise={toggle("evidence")}
                pair={
                  <PairChip
                    isShown={VIEWS.some(({ id, showsPair }) => showsPair && id === viewId)}
                    onShowCompare={showCompare}
                  />
                }
                noteEditor={isNoteInline && <Suspense fallback={null}>{noteEditor}</Suspense>}
              />
            )}
          </EvidenceSheet>
        </main>
      </div>
      <Suspense>
        <ExportOutcome />
      </Suspense>
      <Suspense fallback={null}>
        {showsShortcuts && (
          <ErrorBoundary onClose={() => setShowsShortcuts(false)}>
            <ShortcutSheet
              views={VIEWS}
              onClose={() => setShowsShortcuts(false)}
              onStartTour={() => setIsOnTour(true)}
            />
          </ErrorBoundary>
        )}
        {showsPalette && (
          <ErrorBoundary onClose={() => setShowsPalette(false)}>
            <CommandPalette
              views={VIEWS}
              viewId={viewId}
              onChangeView={openView}
              onStartNew={startNew}
              onShowShortcuts={() => setShowsShortcuts(true)}
              onOpen={openConversation}
              onStartTour={() => setIsOnTour(true)}
              onClose={() => setShowsPalette(false)}
            />
          </ErrorBoundary>
        )}
        {!isNoteInline && noteEditor}
        {isOnTour && (
          <ErrorBoundary onClose={() => setIsOnTour(false)}>
            <Tour onClose={() => setIsOnTour(false)} />
          </ErrorBoundary>
        )}
      </Suspense>
    </div>
  );
}
