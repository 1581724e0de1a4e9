import type { ExportSource } from "@/features/export/viewExport";
import type { Token } from "@/model/timeline";
import { MODEL } from "./server";

/** Where a test's export is from. */
export const exportSource = (tokens: readonly Token[], more: Partial<ExportSource> = {}): ExportSource => ({
  view: { id: "standard", title: "Standard", group: "read" },
  model: { ...MODEL, model_name: "owner/name" },
  lens: "logit",
  conversationId: "conversation-1",
  conversationTitle: "The capital of France",
  tokens,
  notes: [],
  at: new Date("2026-11-25T10:00:00Z"),
  ...more,
});
