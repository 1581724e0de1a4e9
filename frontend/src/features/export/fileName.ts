import type { FigureStyle } from "@/charts/figure/figure";
import { SIZE_FACTS } from "@/charts/figure/size";
import { type ExportSource, type ViewExport, isThroughLens } from "./viewExport";

/** Tells the exports of one conversation apart, in characters that every file system takes. */
export function fileName({ view, lens, model, conversationId }: ExportSource, place: string): string {
  const parts = [
    safe(model.model_name.split(/[\\/]/).at(-1) ?? ""),
    safe((conversationId ?? "").slice(0, 8)),
    safe(view.id),
    safe(place),
    lens === "logit" || !isThroughLens({ view }) ? "" : lens,
  ];
  return ["explorer", ...parts].filter((part) => part !== "").join("_");
}

/** With the columns where not all are drawn, and the width. */
export function figureName(source: ExportSource, viewExport: ViewExport, style: FigureStyle): string {
  const { columns, size } = style;
  const all = viewExport.columns?.all;
  const isPart = columns !== null && (columns.start !== all?.start || columns.end !== all.end);
  return [
    fileName(source, viewExport.place),
    ...(isPart ? [`${columns.start}-${columns.end - 1}`] : []),
    size === "slide" ? "slide" : `${SIZE_FACTS[size].widthMm}mm`,
  ].join("_");
}

const MAX_PART = 40;

/** ASCII letters, digits, hyphens and dots; anything else becomes a hyphen. */
const safe = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9.]+/g, "-")
    .slice(0, MAX_PART)
    .replace(/^[-.]+|[-.]+$/g, "");
