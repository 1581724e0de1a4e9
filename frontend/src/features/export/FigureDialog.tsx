import clsx from "clsx";
import { useEffect, useMemo, useRef, useState } from "react";
import { download } from "@/base/download";
import type { Figure } from "@/charts/figure/figure";
import { pixelSize, toPng } from "@/charts/figure/png";
import { FIGURE_SIZES, SIZE_FACTS } from "@/charts/figure/size";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { Dialog } from "@/ui/Dialog";
import { Segmented } from "@/ui/Segmented";
import { Switch } from "@/ui/Switch";
import { ColumnRange } from "./ColumnRange";
import { captionOf } from "./exportFigure";
import type { FigureRequest } from "./exporting";
import {
  FIGURE_COLOURS,
  type FigureOptions,
  readFigureOptions,
  rememberFigureOptions,
  styleOf,
} from "./figureOptions";
import { figureName } from "./fileName";
import { type MadeFigure, useFigure } from "./useFigure";

interface FigureDialogProps {
  readonly request: FigureRequest;
  readonly onClose: () => void;
}

const SIZES = FIGURE_SIZES.map((value) => {
  const { label, widthMm, maxHeightMm } = SIZE_FACTS[value];
  return {
    value,
    label,
    hint: `${label}: ${Math.round(widthMm)} mm wide, at most ${Math.round(maxHeightMm)} mm high`,
  };
});
const COLOURS = FIGURE_COLOURS.map((value) => ({
  value,
  label: value.charAt(0).toUpperCase() + value.slice(1),
}));

/** The item of the menu that had the focus is gone with the menu. */
function focusExport(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("[data-tour=export] button")?.focus();
}

/** A figure of the open view, as it will be printed, and the choices of how. It is mounted while it is open. */
export default function FigureDialog({ request, onClose }: FigureDialogProps) {
  const { viewExport, source } = request;
  const [options, setOptions] = useState(readFigureOptions);
  const [columns, setColumns] = useState(viewExport.columns?.shown ?? null);
  const [outcome, setOutcome] = useState<{ readonly text: string; readonly isFailure: boolean } | null>(null);
  const style = useMemo(() => styleOf(options, columns), [options, columns]);
  const made = useFigure(request, style);
  const { figure, isWorking, error } = made;
  const change = (part: Partial<FigureOptions>): void => {
    const next = { ...options, ...part };
    setOptions(next);
    rememberFigureOptions(next);
    setOutcome(null);
  };
  const canSave = figure !== null && !isWorking && error === null;
  const save = async (format: "png" | "svg"): Promise<void> => {
    if (figure === null) return;
    setOutcome({ text: "Making the picture…", isFailure: false });
    try {
      const name = `${figureName(source, viewExport, style)}.${format}`;
      download(
        name,
        format === "png"
          ? await toPng(figure, SIZE_FACTS[style.size].dotsPerInch)
          : new Blob([figure.svg], { type: "image/svg+xml" }),
      );
      setOutcome({ text: `Saved ${name}`, isFailure: false });
    } catch (cause) {
      setOutcome({ text: cause instanceof Error ? cause.message : String(cause), isFailure: true });
    }
  };
  return (
    <Dialog title="Figure" width="wide" isOpen onClose={onClose} onClosed={focusExport}>
      <div className="flex flex-col gap-4 md:flex-row">
        <Preview made={made} title={viewExport.title} isTransparent={style.isTransparent} />
        <div className="flex shrink-0 flex-col items-start gap-3 md:w-60">
          <Segmented
            label="Width"
            value={options.size}
            options={SIZES}
            onChange={(size) => change({ size })}
          />
          <Segmented
            label="Colours"
            value={options.colours}
            options={COLOURS}
            onChange={(colours) => change({ colours })}
          />
          <div>
            <Switch label="Title" checked={options.hasTitle} onChange={(hasTitle) => change({ hasTitle })} />
            <div className="flex items-center gap-1">
              <Switch
                label="Caption"
                checked={options.hasCaption}
                onChange={(hasCaption) => change({ hasCaption })}
              />
              <CopyButton label="Copy the caption" text={() => captionOf(viewExport, source).join(" ")} />
            </div>
          </div>
          {viewExport.columns !== null && columns !== null && (
            <ColumnRange
              columns={viewExport.columns}
              value={columns}
              onChange={(next) => {
                setColumns(next);
                setOutcome(null);
              }}
            />
          )}
          {canSave && <Measures figure={figure} style={style} hasColumns={viewExport.columns !== null} />}
          <div className="flex flex-wrap gap-2">
            <Button look="primary" icon="download" disabled={!canSave} onClick={() => void save("png")}>
              Save PNG
            </Button>
            <Button icon="download" disabled={!canSave} onClick={() => void save("svg")}>
              Save SVG
            </Button>
          </div>
          <p
            role="status"
            className={clsx("min-h-5 break-all", outcome?.isFailure === true && "text-danger")}
          >
            {outcome?.text}
          </p>
        </div>
      </div>
    </Dialog>
  );
}

interface PreviewProps {
  readonly made: MadeFigure;
  readonly title: string;
  readonly isTransparent: boolean;
}

/** The ground of what has none. White, on which a transparent figure is meant to stand. */
const CHECKERED = "bg-[repeating-conic-gradient(#ffffff_0_25%,#eeeeee_0_50%)] bg-[length:16px_16px]";

/** The same SVG that is saved; in its own size where there is room. */
function Preview({ made: { figure, isWorking, error }, title, isTransparent }: PreviewProps) {
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    if (figure === null || image.current === null) return undefined;
    const url = URL.createObjectURL(new Blob([figure.svg], { type: "image/svg+xml" }));
    image.current.src = url;
    return () => URL.revokeObjectURL(url);
  }, [figure]);
  return (
    <div
      aria-busy={isWorking}
      className="flex max-h-[60dvh] min-h-40 min-w-0 flex-1 items-start justify-center overflow-auto rounded-control border border-line bg-sunken p-3 max-md:max-h-[40dvh]"
    >
      {error !== null ? (
        <p role="alert" className="self-center text-danger">
          {error.message}
        </p>
      ) : figure === null ? (
        <p className="self-center text-muted">Drawing the figure…</p>
      ) : (
        <img
          ref={image}
          alt={title}
          className={clsx("h-auto max-w-full", isTransparent && CHECKERED)}
          style={{ width: `${figure.widthMm}mm` }}
        />
      )}
    </div>
  );
}

interface MeasuresProps {
  readonly figure: Figure;
  readonly style: { readonly size: (typeof FIGURE_SIZES)[number] };
  readonly hasColumns: boolean;
}

/** How large the figure is, and a warning where it does not fit. */
function Measures({ figure, style: { size }, hasColumns }: MeasuresProps) {
  const { dotsPerInch, maxHeightMm } = SIZE_FACTS[size];
  const { widthMm, heightMm, svg } = figure;
  const pixels = pixelsOf(figure, dotsPerInch);
  return (
    <div className="text-label text-muted">
      <p>
        {`${Math.round(widthMm)} × ${Math.round(heightMm)} mm; ${pixels}SVG ${Math.round(svg.length / 1000)} kB`}
      </p>
      {heightMm > maxHeightMm && (
        <p className="text-warn">
          {`Higher than ${size === "slide" ? "a slide" : "a page"} (${Math.round(maxHeightMm)} mm): ${hasColumns ? "choose fewer columns" : size === "column" ? "take the page's width" : "leave out the caption"}.`}
        </p>
      )}
    </div>
  );
}

/** `PNG 1004 × 700 pixels; `; nothing where there are too many, which saving says. */
function pixelsOf(figure: Figure, dotsPerInch: number): string {
  try {
    const { width, height } = pixelSize(figure, dotsPerInch);
    return `PNG ${width} × ${height} pixels; `;
  } catch {
    return "";
  }
}
