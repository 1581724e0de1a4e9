import { hasToken } from "@/base/token";
import { useChat, useChatActions } from "@/features/chat/chat";
import type { Mode } from "@/features/chat/chatState";
import type { ViewDefinition } from "@/features/evidence/view";
import { questionOf, useExamples, useRunExample } from "@/features/examples/examples";
import { EXPORTS, copyLink, useExporter } from "@/features/export/exporting";
import { useOpenView } from "@/features/export/useViewExport";
import { useConversationFacts } from "@/features/library/library";
import { useLibrary } from "@/features/library/useLibrary";
import { useNotes } from "@/features/notes/notes";
import { useBeginNote, useGoToNote } from "@/features/notes/noteWriting";
import { otherBranches } from "@/features/pair/branchesBeside";
import { type B, usePair } from "@/features/pair/pair";
import { useSelection } from "@/features/selection/selection";
import { forgetToken } from "@/features/server/forgetToken";
import { useServer } from "@/features/server/server";
import { useLensKind } from "@/features/settings/lensKind";
import { COLOURINGS, useSettings } from "@/features/settings/settings";
import { DEFAULT_STRENGTH, STEER, prepareSteering } from "@/features/steering/choices";
import { setTheme, useTheme } from "@/features/settings/theme";
import { TYPE_SIZES, setTypeSize, useTypeSize } from "@/features/settings/typeSize";
import { LENSES } from "@/model/lenses";
import { onOneLine, placeOf, placeWords } from "@/model/notes";
import type { Token } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import { type Listed, tokenIndexIn, tokensLike } from "./ranking";

export interface PaletteCommand extends Listed {
  readonly run: () => void;
  /** The key that does the same. */
  readonly key?: string;
}

/** What only the page as a whole can do. */
export interface PaletteActions {
  readonly views: readonly ViewDefinition[];
  readonly viewId: string;
  readonly onChangeView: (viewId: string) => void;
  readonly onStartNew: (mode: Mode) => void;
  readonly onShowShortcuts: () => void;
  readonly onStartTour: () => void;
  /** Opens a saved conversation. */
  readonly onOpen: (branchId: string) => void;
}

/** How the colouring of the text is called in a sentence. */
const COLOURING_NAMES: Readonly<Record<(typeof COLOURINGS)[number], string>> = {
  none: "nothing",
  surprisal: "surprisal",
  entropy: "entropy",
  decided: "decision layer",
};

/** The kinds of B that need no further choice to begin with. */
const COMPARED: readonly { readonly label: string; readonly vs: B }[] = [
  { label: "a changed prompt", vs: { kind: "prompt" } },
  { label: "another conversation", vs: { kind: "saved", id: null } },
  { label: "the same text at another layer or lens", vs: { kind: "same" } },
];
const NOTE_LETTERS = 60;

/** The commands that make sense now; `goTo` the token whose index the query is. */
export function useCommands(
  actions: PaletteActions,
  query: string,
): { readonly commands: readonly PaletteCommand[]; readonly goTo: readonly PaletteCommand[] } {
  const timeline = useChat((chat) => chat.timeline);
  const isReplying = useChat(({ pending }) => pending !== null);
  const { stop, reopen } = useChatActions();
  const { model } = useServer();
  const { settings, update } = useSettings();
  const { index: selectedIndex, select } = useSelection();
  const beginNote = useBeginNote();
  const { notes, hasList, showList } = useNotes();
  const goToNote = useGoToNote();
  const typeSize = useTypeSize();
  const { change: changePair } = usePair(timeline.conversationId);
  const branches = otherBranches(useConversationFacts()?.branches ?? [], timeline.conversationId);
  const theme = useTheme();
  const lens = useLensKind();
  const openView = useOpenView();
  const runExample = useRunExample();
  const { examples } = useExamples(model, false);
  const { conversations } = useLibrary("");
  const view = actions.views.find((each) => each.id === actions.viewId);
  const exporter = useExporter(timeline, view);
  const other = theme === "dark" ? "light" : "dark";
  const lenses = LENSES.filter(({ kind }) => model?.lenses.some((each) => each.kind === kind));

  const selected = selectedIndex === null ? undefined : timeline.tokens[selectedIndex];

  const compareWith = (vs: B): void => {
    actions.onChangeView("compare");
    changePair({ vs });
  };

  const commands: PaletteCommand[] = [
    ...(isReplying
      ? [{ group: "Conversation", label: "Stop the reply", words: "cancel end", key: "Esc", run: stop }]
      : []),
    ...actions.views
      .filter((each) => each.id !== actions.viewId)
      .map(({ id, title, shortcut }) => ({
        group: "View",
        label: `Open ${title}`,
        words: "view tab show",
        key: shortcut,
        run: () => actions.onChangeView(id),
      })),
    ...openView.commands.map((command) => ({ group: "View", words: "metric", ...command })),
    ...(lenses.length < 2
      ? []
      : lenses
          .filter(({ kind }) => kind !== lens)
          .map(({ kind, title }) => ({
            group: "Lens",
            label: `Read through the ${title} lens`,
            run: () => update({ lens: kind }),
          }))),
    ...(exporter.reason !== null
      ? []
      : EXPORTS.map(({ format, label, hint }) => ({
          group: "Export",
          label: format === "code" ? label : `Export ${label}`,
          words: `save download ${format} ${hint}`,
          run: () => exporter.start(format),
        }))),
    ...(timeline.conversationId === null
      ? []
      : [
          {
            group: "Export",
            label: "Copy link",
            words: "permalink url address share",
            run: () => void copyLink(),
          },
        ]),
    {
      group: "Conversation",
      label: "New chat",
      words: "conversation start clear",
      run: () => actions.onStartNew("chat"),
    },
    {
      group: "Conversation",
      label: "New completion",
      words: "conversation start clear raw text",
      run: () => actions.onStartNew("completion"),
    },
    ...(selectedIndex === null || selectedIndex >= timeline.tokens.length
      ? []
      : [{ group: "Notes", label: "Add a note", words: "annotate write", key: "n", run: beginNote }]),
    ...(timeline.tokens.length === 0
      ? []
      : [
          {
            group: "Notes",
            label: hasList ? "Hide notes" : "Show notes",
            words: "annotations list",
            run: () => showList(!hasList),
          },
        ]),
    ...notes.map((note) => ({
      group: "Notes",
      label: `Note on ${placeWords(placeOf(note), timeline.tokens)}: ${onOneLine(note.text, NOTE_LETTERS)}`,
      words: "annotation",
      run: () => goToNote(placeOf(note)),
    })),
    ...(timeline.conversationId === null || isReplying
      ? []
      : COMPARED.map(({ label, vs }) => ({
          group: "Compare",
          label: `Compare with ${label}…`,
          words: "pair versus b difference",
          run: () => compareWith(vs),
        }))),
    ...(isReplying
      ? []
      : branches.flatMap(({ id, label }) => [
          { id: `open ${id}`, group: "Branches", label: `Open branch ${label}`, run: () => reopen(id) },
          {
            id: `compare ${id}`,
            group: "Compare",
            label: `Compare with branch ${label}`,
            words: "pair versus b difference",
            run: () => compareWith({ kind: "branch", id }),
          },
        ])),
    ...(selected === undefined || isReplying
      ? []
      : [
          { label: `Steer towards “${cellText(selected)}”`, part: {} },
          { label: `Steer away from “${cellText(selected)}”`, part: { strength: -DEFAULT_STRENGTH } },
          { label: `Ablate the direction of “${cellText(selected)}”`, part: { how: "ablate" as const } },
        ].map(({ label, part }) => ({
          group: "Change",
          label,
          words: "steering intervention activation addition project out",
          run: () => {
            prepareSteering({ steer: selected.id, ...part }, timeline.conversationId);
            actions.onChangeView(STEER);
          },
        }))),
    ...COLOURINGS.filter((each) => each !== settings.colouring).map((colouring) => ({
      group: "Conversation",
      label: `Colour the text by ${COLOURING_NAMES[colouring]}`,
      words: "tint",
      run: () => update({ colouring }),
    })),
    ...examples.map((example) => ({
      group: "Examples",
      label: `${questionOf(example)} ${example.text}`,
      words: `run example prompt ${example.title} ${example.mode}`,
      run: () => runExample(example),
    })),
    { group: "Page", label: `Use the ${other} theme`, words: "colour mode", run: () => setTheme(other) },
    ...TYPE_SIZES.filter((size) => size !== typeSize).map((size) => ({
      group: "Page",
      label: `Type size ${size} %`,
      words: "larger smaller zoom font projector",
      run: () => setTypeSize(size),
    })),
    ...(model === null
      ? []
      : [
          {
            group: "Page",
            label: `Model ${model.model_name}: details`,
            words: "layers heads parameters device change",
            run: () => document.querySelector<HTMLElement>("[data-part=model]")?.click(),
          },
        ]),
    {
      group: "Page",
      label: "Show the keys",
      words: "keyboard shortcuts help",
      key: "?",
      run: actions.onShowShortcuts,
    },
    ...(hasToken()
      ? [{ group: "Page", label: "Forget the token", words: "sign out log out logout", run: forgetToken }]
      : []),
    { group: "Page", label: "Take the tour", words: "guide help introduction", run: actions.onStartTour },
  ];

  const goTo = (token: Token): PaletteCommand => ({
    group: "Token",
    label: `Go to token ${token.index} “${cellText(token)}”`,
    words: token.text,
    run: () => select(token.index),
  });
  const index = tokenIndexIn(query);
  const named = index === null ? undefined : timeline.tokens[index];
  const opening = conversations
    .filter(({ id }) => id !== timeline.conversationId)
    .map(({ id, title }) => ({ id, group: "Conversations", label: title, run: () => actions.onOpen(id) }));
  return {
    commands: [...commands, ...opening, ...tokensLike(timeline.tokens, query).map(goTo)],
    goTo: named === undefined ? [] : [goTo(named)],
  };
}
