/** One export under way, started from the menu or the palette; its outcome is shown in one place. */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { copyText } from "@/base/clipboard";
import { settleAddress } from "@/features/address/useAddress";
import { knownFacts } from "@/features/library/library";
import { useNotes } from "@/features/notes/notes";
import { useServer } from "@/features/server/server";
import { useLensKind } from "@/features/settings/lensKind";
import { identityOf, isSameModel } from "@/model/identity";
import type { Timeline } from "@/model/timeline";
import type { ViewExport, ExportSource } from "./viewExport";
import type { FileFormat } from "./exportFile";
import { useOpenView } from "./useViewExport";

/** `figure` opens the dialog of figures; `code` copies the script. */
export type ExportFormat = FileFormat | "figure" | "code";

export const EXPORTS: readonly {
  readonly format: ExportFormat;
  readonly group: "Picture" | "Numbers" | "Code";
  readonly label: string;
  readonly hint: string;
}[] = [
  { format: "figure", group: "Picture", label: "Figure…", hint: "PNG or SVG, for papers and slides" },
  { format: "csv", group: "Numbers", label: "CSV table", hint: "for spreadsheets" },
  { format: "json", group: "Numbers", label: "JSON", hint: "with every token id" },
  { format: "code", group: "Code", label: "Copy as code", hint: "Python, to the clipboard" },
  { format: "py", group: "Code", label: "Python script", hint: "the same as a file" },
  { format: "ipynb", group: "Code", label: "Notebook", hint: "the same for Jupyter" },
];

export interface ExportOutcome {
  readonly kind: "working" | "done" | "failed";
  readonly text: string;
}

let outcome: ExportOutcome | null = null;
const listeners = new Set<() => void>();

function tell(next: ExportOutcome | null): void {
  outcome = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useExportOutcome = (): ExportOutcome | null => useSyncExternalStore(subscribe, () => outcome);

export const dismissOutcome = (): void => tell(null);

/** What the dialog of figures is open for. */
export interface FigureRequest {
  readonly viewExport: ViewExport;
  readonly source: ExportSource;
}

let figure: FigureRequest | null = null;

function showFigure(next: FigureRequest | null): void {
  figure = next;
  for (const listener of listeners) listener();
}

export const useFigureRequest = (): FigureRequest | null => useSyncExternalStore(subscribe, () => figure);

export const closeFigure = (): void => showFigure(null);

export interface Exporter {
  /** Why nothing can be exported now; null when it can. */
  readonly reason: string | null;
  readonly start: (format: ExportFormat) => void;
}

export function useExporter(timeline: Timeline, view: ExportSource["view"] | undefined): Exporter {
  const { viewExport } = useOpenView();
  const { model } = useServer();
  const lens = useLensKind();
  const { notes } = useNotes();
  const queries = useQueryClient();
  const { conversationId, tokens, steering } = timeline;
  const isOfModel = model !== null && isSameModel(timeline.model, identityOf(model));
  const reason =
    typeof viewExport === "string"
      ? viewExport
      : model === null
        ? "The model is not there yet."
        : isOfModel
          ? null
          : "Another model than the running one has computed this.";
  const start = useCallback(
    (format: ExportFormat) => {
      if (typeof viewExport === "string" || model === null || !isOfModel || view === undefined) return;
      const conversationTitle = knownFacts(queries, conversationId)?.title ?? null;
      const under = steering === undefined ? {} : { steering };
      const text = { conversationId, conversationTitle, tokens, notes, ...under };
      void carryOut(format, viewExport, { view, model, lens, ...text, at: new Date() });
    },
    [viewExport, model, isOfModel, lens, queries, conversationId, tokens, steering, notes, view],
  );
  return { reason, start };
}

/** The page's address says it all: conversation, branch, view, lens, place, pins and choices. */
export async function copyLink(): Promise<void> {
  settleAddress();
  if (await copyText(window.location.href)) {
    const isOnlyHere = ["localhost", "127.0.0.1", "[::1]"].includes(window.location.hostname);
    tell({
      kind: "done",
      text: isOnlyHere
        ? "Link copied. It opens on this computer only; to send the conversation, export it as a file from the list."
        : "Link copied. It opens wherever this server can be reached.",
    });
  } else {
    tell({
      kind: "failed",
      text: "The browser gives no access to the clipboard. The address bar holds the link.",
    });
  }
}

const isProgram = (format: ExportFormat): boolean =>
  format === "code" || format === "py" || format === "ipynb";

async function carryOut(
  format: ExportFormat,
  make: () => Promise<ViewExport>,
  plain: ExportSource,
): Promise<void> {
  tell({ kind: "working", text: "Making the export…" });
  try {
    // Fetched with the first export.
    const [{ steeredExport }, { serverLookups }, made] = await Promise.all([
      import("./steeredExport"),
      import("./serverLookups"),
      make(),
    ]);
    const lookups = serverLookups(plain);
    const { viewExport, source } = await steeredExport(made, plain, isProgram(format), lookups);
    if (format === "figure") {
      showFigure({ viewExport, source });
      tell(null);
      return;
    }
    const { saveExport } = await import("./saveExport");
    tell({ kind: "done", text: await saveExport(format, viewExport, source) });
  } catch (error) {
    tell({ kind: "failed", text: error instanceof Error ? error.message : String(error) });
  }
}
