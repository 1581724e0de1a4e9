import type { ExportSource } from "./viewExport";

/** Tells the exports of one conversation apart, in characters that every file system takes. */
export function fileName({ view, lens, model, conversationId }: ExportSource, place: string): string {
  const parts = [
    safe(model.model_name.split(/[\\/]/).at(-1) ?? ""),
    safe((conversationId ?? "").slice(0, 8)),
    safe(view.id),
    safe(place),
    lens === "logit" ? "" : lens,
  ];
  return ["explorer", ...parts].filter((part) => part !== "").join("_");
}

const MAX_PART = 40;

/** ASCII letters, digits, hyphens and dots; anything else becomes a hyphen. */
const safe = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .slice(0, MAX_PART)
    .replace(/^[-.]+|[-.]+$/g, "");
