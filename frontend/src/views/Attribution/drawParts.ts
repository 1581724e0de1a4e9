/** The rows of Attribution as a drawing: name, bar, and what it adds. */
import { DATA, type Drawing, type FigureLayout } from "@/charts/figure/figure";
import { TYPE } from "@/charts/figure/size";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import { formatSigned } from "@/model/format";
import { type PartRow, rangeOf } from "./parts";

interface PartsDrawing {
  /** Those that are seen. */
  readonly rows: readonly PartRow[];
  /** All parts together. */
  readonly total: number;
  readonly wordsOf: (row: PartRow) => string;
}

const HEAD_HEIGHT = 12;
const MAX_NAME = 110;
const NUMBER_WIDTH = 40;
const INDENT = 6;
const GAP = 6;

export function drawParts(
  { rows, total, wordsOf }: PartsDrawing,
  { width, maxHeight, palette }: FigureLayout,
): Drawing {
  const rowHeight = Math.min(12, Math.max(8.5, (maxHeight - HEAD_HEIGHT) / Math.max(1, rows.length)));
  const indentOf = ({ level }: PartRow): number => INDENT * (level - 1);
  const nameWidth = Math.min(
    MAX_NAME,
    0.4 * width,
    Math.max(...rows.map((row) => indentOf(row) + textWidth(wordsOf(row), TYPE.body))),
  );
  const barX = nameWidth + GAP;
  const barWidth = width - barX - NUMBER_WIDTH;
  const { low, high } = rangeOf(rows);
  const at = (logits: number): number => barX + (barWidth * (logits - low)) / Math.max(1e-9, high - low);
  const height = HEAD_HEIGHT + rows.length * rowHeight;
  const line = (logits: number, more = {}): string =>
    element("path", {
      d: `M${at(logits).toFixed(2)} ${HEAD_HEIGHT - 2}V${height.toFixed(2)}`,
      stroke: palette["line-strong"],
      "stroke-width": 0.5,
      ...more,
    });
  const drawn = rows.map((row, i) => {
    const y = HEAD_HEIGHT + i * rowHeight;
    const end = row.start + row.contribution;
    const from = Math.min(at(row.start), at(end));
    return [
      textElement(
        indentOf(row),
        y + rowHeight - 3,
        cutText(wordsOf(row), TYPE.body, nameWidth - indentOf(row)),
        {
          fill: palette.text,
          "font-weight": row.level === 1 ? 600 : undefined,
        },
      ),
      element("rect", {
        class: "bar",
        x: from.toFixed(2),
        y: (y + 1.5).toFixed(2),
        width: Math.max(0.4, Math.abs(at(end) - at(row.start))).toFixed(2),
        height: (rowHeight - 3).toFixed(2),
        fill: palette[row.contribution < 0 ? "data-minus" : "data-plus"],
        "fill-opacity": row.level === 1 ? undefined : 0.75,
      }),
      textElement(width, y + rowHeight - 3, formatSigned(row.contribution), {
        fill: palette.text,
        "text-anchor": "end",
      }),
    ].join("");
  });
  return {
    width,
    height,
    svg: [
      textElement(0, 7, "part", { fill: palette["text-muted"] }),
      textElement(width, 7, "adds, logits", { fill: palette["text-muted"], "text-anchor": "end" }),
      line(0),
      line(total, { "stroke-dasharray": "2 1.5" }),
      element("g", DATA, ...drawn),
    ].join(""),
  };
}
