import { type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { isAway } from "@/base/errors";
import type { BranchBarState } from "@/features/branches/BranchBar";
import { Composer } from "@/features/composer/Composer";
import { Opening } from "@/features/composer/Opening";
import { SamplingControls } from "@/features/composer/SamplingControls";
import { useExamples, useRunExample, workedExample } from "@/features/examples/examples";
import { FirstRun } from "@/features/examples/FirstRun";
import { Questions } from "@/features/examples/Questions";
import { endOpenings } from "@/features/examples/useOpening";
import { COMPOSER_ID } from "@/features/layout/evidenceSheet";
import type { SavedConversation } from "@/features/library/conversations";
import { NoteNotices } from "@/features/notes/NoteNotices";
import { useNotes } from "@/features/notes/notes";
import { useSelection } from "@/features/selection/selection";
import { TRANSCRIPT_ID } from "@/features/selection/tokenSelection";
import { ModelWait } from "@/features/server/ModelWait";
import type { ServerState } from "@/features/server/server";
import { useSettings } from "@/features/settings/settings";
import { PendingMessage } from "@/features/transcript/PendingMessage";
import type { Turn } from "@/model/timeline";
import { lazyPart, patientPart } from "@/ui/lazyPart";
import { AfterReply } from "./AfterReply";
import { useChat, useChatActions, useChatNow } from "./chat";
import { ChatText } from "./ChatText";
import { ConversationToolbar } from "./ConversationToolbar";
import { FailureNotice } from "./FailureNotice";
import { FollowingScroll } from "./FollowingScroll";
import { honestyLine } from "./honesty";
import { RemoteWait } from "./RemoteWait";
import { ReplyStatus } from "./ReplyStatus";

const NotesPanel = lazyPart(() => import("@/features/notes/NotesPanel"));
const SteeredLine = patientPart(() => import("@/features/steering/SteeredLine"));
const BranchBar = patientPart(() => import("@/features/branches/BranchBar"));
const MissingModel = patientPart(() => import("@/features/server/MissingModel"));

interface ConversationPaneProps {
  readonly server: ServerState;
  /** What is saved of the conversation; null until it is there. */
  readonly facts: SavedConversation | null;
  /** It is not known yet whether the answered example is shown, so nothing that would move for it is. */
  readonly isOpeningAwaited: boolean;
  /** What is pinned could not be saved. */
  readonly unsavedPins: ReactNode;
  /** The composer has one line only. */
  readonly isComposerSlim: boolean;
  readonly isMaximised: boolean;
  readonly onToggleMaximise: () => void;
  readonly onShowView: (viewId: string) => void;
  readonly onStartTour: () => void;
  /** Begins a new conversation with the composer in focus. */
  readonly onNew: () => void;
}

export function ConversationPane(props: ConversationPaneProps) {
  const { server, facts, isOpeningAwaited, unsavedPins, isComposerSlim } = props;
  const { isMaximised, onToggleMaximise, onShowView, onStartTour, onNew } = props;
  const key = useChat((chat) => chat.key);
  const mode = useChat((chat) => chat.mode);
  const pending = useChat((chat) => chat.pending);
  const failure = useChat((chat) => chat.failure);
  const heldWith = useChat((chat) => chat.heldWith);
  const steering = useChat(({ timeline }) => timeline.steering);
  const shipped = useChat((chat) => (chat.timeline.turns.length > 1 ? null : chat.shipped));
  const returned = useChat((chat) => chat.returned);
  const status = useChat(({ timeline }) => timeline.status);
  const conversationId = useChat(({ timeline }) => timeline.conversationId);
  const hasText = useChat(({ timeline }) => timeline.tokens.length > 0);
  const hasTemplate = useChat(({ timeline }) => timeline.tokens.some(({ role }) => role === "template"));
  const lastTurn = useChat(({ timeline }) => timeline.turns.at(-1));
  const replyModel = useChat(({ timeline }) => timeline.model);
  const chatNow = useChatNow();
  const actions = useChatActions();
  const { settings, update } = useSettings();
  const { index: selectedIndex, select } = useSelection();
  const { hasList } = useNotes();
  const [edits, setEdits] = useState<Edits>({});
  const [branchBar, setBranchBar] = useState<BranchBarState>({ isOpen: false, deleted: null });
  const { model, health, phase } = server;
  const honesty = model === null ? null : honestyLine(model);
  const nLayers = model?.num_layers ?? 0;

  const runExample = useRunExample();
  const isBlank = !hasText && pending === null;
  const isHeld = isBlank && isOpeningAwaited;
  const { examples: known, areAwaited } = useExamples(model, isBlank && phase === "ready");
  const examples = model === null && shipped !== null ? [shipped.example] : known;

  const isBusy = pending !== null;
  const isOpening = status === "waiting" && !isBusy;
  const blocked = isOpening ? "The conversation is being opened" : blockedBecause(phase);
  const modelName = replyModel?.name ?? model?.model_name ?? "Model";
  const edited = conversationId ?? "";
  const editing = edits[edited] ?? null;
  const setEditing = (edit: Edit | null): void => {
    setEdits((before) => ({ ...before, [edited]: edit }));
  };

  const onSend = (text: string): void => {
    if (editing === null) actions.send(text);
    else actions.edit(editing.fromIndex, text);
    setEditing(null);
  };
  const onEdit = (turn: Turn, text: string): void => {
    setEditing({ text, fromIndex: turn.promptStart });
    document.getElementById(COMPOSER_ID)?.focus();
  };
  const onAskWord = (): void => {
    const worked = workedExample(chatNow().timeline, mode, shipped === null ? examples : [shipped.example]);
    if (worked !== null) select(worked.token.index, null);
    onShowView("patch");
  };
  const onAskOwn = (): void => {
    endOpenings();
    onNew();
  };
  const onStartNew = (): void => actions.startNew(mode);

  // A failed turn with a message has the message back in the composer; one without is simply run again.
  const failedTurn = failure?.during === "request" ? failure.submission : null;
  const retry = failedTurn?.text !== "" ? null : () => actions.retry(failedTurn);
  // The banner says that the server is away; once it is back, nothing is left to say.
  const isUnreachable = failure !== null && isAway(failure.error);
  const wasAway = useRef(false);
  useEffect(() => {
    const isBack = wasAway.current && phase === "ready";
    wasAway.current = wasAway.current ? phase !== "ready" : phase === "lost" || phase === "draining";
    if (isBack && isUnreachable) actions.dismiss();
  }, [phase, isUnreachable, actions]);

  return (
    <section
      aria-label="Conversation"
      data-focus-home={`#${TRANSCRIPT_ID}, textarea`}
      className="flex min-h-0 min-w-0 flex-1 flex-col"
    >
      {isHeld && <div className="h-[calc(var(--control)+0.5rem+1px)] shrink-0 border-b border-line" />}
      {hasText && (
        <ConversationToolbar
          settings={settings}
          nLayers={nLayers}
          mode={mode}
          hasTemplate={hasTemplate}
          isMaximised={isMaximised}
          onChange={update}
          onToggleMaximise={onToggleMaximise}
        />
      )}
      {facts !== null && hasText && (
        <Suspense fallback={null}>
          <BranchBar
            key={facts.conversation_id}
            facts={facts}
            currentId={conversationId}
            isBusy={isBusy}
            state={branchBar}
            onSwitch={actions.reopen}
            onChange={(change) => setBranchBar((before) => ({ ...before, ...change }))}
          />
        </Suspense>
      )}
      {steering !== undefined && (
        <Suspense fallback={null}>
          <SteeredLine steering={steering} />
        </Suspense>
      )}
      {hasText && hasList && (
        <Suspense fallback={<p className="border-b border-line px-3 py-2 text-muted">Opening the notes…</p>}>
          <NotesPanel />
        </Suspense>
      )}
      <FollowingScroll of={key} hasPlace={selectedIndex !== null}>
        {heldWith !== null && model !== null ? (
          <Suspense fallback={null}>
            <MissingModel held={heldWith} running={model} />
          </Suspense>
        ) : isHeld ? (
          <div className="flex flex-1 shown-late">
            <ModelWait health={health} refusal={server.refusal} />
          </div>
        ) : isOpening && model === null ? (
          <ModelWait health={health} refusal={server.refusal} />
        ) : hasText || isBusy || status === "waiting" ? (
          <div className="py-4">
            {shipped !== null && (
              <Questions
                examples={examples}
                answered={shipped.example}
                isWaiting={model === null}
                onRun={runExample}
                onAskWord={onAskWord}
                onAskOwn={onAskOwn}
              />
            )}
            {shipped !== null && model === null && <ModelWait health={health} refusal={server.refusal} />}
            {mode === "chat" && honesty !== null && <p className="mb-3 text-label text-muted">{honesty}</p>}
            {hasText && <ChatText modelName={modelName} nLayers={nLayers} />}
            {isOpening && <p className="text-muted">Opening the conversation…</p>}
            {status === "waiting" && <PendingMessage text={pending?.submission.text ?? ""} mode={mode} />}
            <RemoteWait />
            {status === "settled" && (
              <AfterReply examples={examples} facts={facts} onEdit={onEdit} onShowView={onShowView} />
            )}
          </div>
        ) : model === null ? (
          <ModelWait health={health} refusal={server.refusal} />
        ) : (
          <FirstRun
            model={model}
            examples={examples}
            areAwaited={areAwaited}
            onRun={runExample}
            onStartTour={onStartTour}
          />
        )}
      </FollowingScroll>
      <div className="shrink-0 px-3 pb-2 md:px-4">
        {unsavedPins}
        <NoteNotices />
        {failure !== null && !(isUnreachable && phase !== "ready") && (
          <FailureNotice
            failure={failure}
            onRetry={retry}
            onStartNew={onStartNew}
            onDismiss={actions.dismiss}
          />
        )}
        <Composer
          id={COMPOSER_ID}
          mode={mode}
          returned={{ text: returned.text, id: `${key} ${returned.serial}` }}
          editing={editing}
          onChangeEdit={(text) => editing !== null && setEditing({ ...editing, text })}
          isSlim={isComposerSlim}
          isBusy={isBusy}
          blocked={blocked}
          canWriteOn={mode === "completion" && conversationId !== null && hasText}
          onSend={onSend}
          onStop={actions.stop}
          onWriteOn={() => actions.writeOn(chatNow().timeline.tokens.length)}
          onCancelEdit={() => setEditing(null)}
          opening={
            isBlank && !isHeld && conversationId === null && !isComposerSlim ? (
              <Opening mode={mode} onChangeMode={actions.startNew} />
            ) : null
          }
        >
          <SamplingControls
            model={model}
            mode={mode}
            isSlim={isComposerSlim}
            isNew={conversationId === null}
            lastSeed={lastTurn?.seed ?? null}
          />
        </Composer>
        <ReplyStatus server={server} blocked={blocked} isUnseen={isComposerSlim} />
      </div>
    </section>
  );
}

interface Edit {
  readonly text: string;
  readonly fromIndex: number;
}

/** By branch, "" for one that is not saved, the message that is being edited: it is not another conversation's. */
type Edits = Readonly<Record<string, Edit | null>>;

function blockedBecause(phase: ServerState["phase"]): string | null {
  switch (phase) {
    case "ready":
    case "stalled":
      return null;
    case "connecting":
      return "Waiting for the server";
    case "lost":
      return "The server does not answer";
    case "loading":
      return "The model is loading";
    case "failed":
      return "The model could not be loaded";
    case "refused":
      return "The server does not answer this page";
    case "draining":
      return "The server is shutting down";
  }
}
