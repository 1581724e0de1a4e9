/** The words of a layer as a drawing: the agreement of all layers, what the marks mean, then the text. */
import { DATA, type Drawing, type FigureLayout, FigureTooLarge } from "@/charts/figure/figure";
import type { Palette } from "@/charts/figure/palette";
import { TYPE } from "@/charts/figure/size";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import { formatCount } from "@/model/format";
import { layerLabel } from "@/model/layers";
import type { LayersState } from "./viewExport";
import type { LayerWord } from "./layerWords";
import { formOf, isInText } from "./shownForm";

const SIZE = 8;
const SMALL = TYPE.small;
const LINE = { single: 15, double: 22 } as const;
const STRIP = { height: 28, label: 9, gap: 10 } as const;
/** No more than this many words are drawn. */
const MAX_WORDS = 20_000;

export function drawWords(state: LayersState, layout: FigureLayout): Drawing {
  const { width, palette } = layout;
  const { words } = state;
  if (words.length > MAX_WORDS) {
    throw new FigureTooLarge(
      `${formatCount(words.length)} words are too many for one picture, which holds ${formatCount(MAX_WORDS)}. Show only the reply, or take the CSV.`,
    );
  }
  const strip = drawStrip(state, width, palette);
  const legend = drawLegend(state, width, palette);
  const text = drawText(state, width, palette);
  const at = (y: number, svg: string): string => element("g", { transform: `translate(0 ${y})` }, svg);
  const textTop = strip.height + legend.height + 8;
  return {
    width,
    height: textTop + text.height,
    svg: strip.svg + at(strip.height, legend.svg) + at(textTop, text.svg),
  };
}

/** The share of tokens that are those of the text, for each layer; the one that is shown stands out. */
function drawStrip(
  { agreement, columns, layer, last }: LayersState,
  width: number,
  palette: Palette,
): Drawing {
  const { layers } = columns;
  const column = width / layers.length;
  const every = [1, 2, 5, 10, 20, 50].find((step) => step * column >= 18) ?? 100;
  const top = 11;
  const bars = layers.map((at, row) => {
    const count = agreement?.nActual.get(at) ?? 0;
    const height = agreement === null || agreement.nRead === 0 ? 0 : (STRIP.height * count) / agreement.nRead;
    const isLabelled = at === 0 || at === last || at === layer || (at % every === 0 && last - at >= every);
    const isHere = at === layer;
    return [
      isHere
        ? element("rect", {
            x: row * column,
            y: top,
            width: column,
            height: STRIP.height,
            fill: palette["data-bar-soft"],
          })
        : "",
      element("rect", {
        x: row * column + column * 0.19,
        y: top + STRIP.height - height,
        width: column * 0.62,
        height,
        fill: palette["data-actual"],
      }),
      isLabelled
        ? textElement((row + 0.5) * column, top + STRIP.height + 8, layerLabel(at), {
            "text-anchor": "middle",
            "font-size": SMALL,
            "font-weight": isHere ? 700 : undefined,
            fill: isHere ? palette.text : palette["text-muted"],
          })
        : "",
    ].join("");
  });
  return {
    width,
    height: top + STRIP.height + STRIP.label + STRIP.gap,
    svg: [
      textElement(0, 7, "share of tokens that match the text, by layer, 0 to 1", {
        "font-size": SMALL,
        fill: palette["text-muted"],
      }),
      element("path", {
        d: `M0 ${top + STRIP.height}H${width}M0 ${top}H${width}`,
        stroke: palette.line,
        "stroke-width": 0.5,
      }),
      element("g", DATA, ...bars),
    ].join(""),
  };
}

function drawLegend({ choices }: LayersState, room: number, palette: Palette): Drawing {
  const marks: readonly { readonly word: Partial<LayerWord>; readonly meaning: string }[] = [
    ...(choices.hasMarks
      ? ([
          { word: { kind: "actual" }, meaning: "actual token" },
          { word: { kind: "output" }, meaning: "final-layer top-1, not the actual token" },
          { word: { kind: "other" }, meaning: "other" },
        ] as const)
      : []),
    ...(choices.hasChanges ? [{ word: { hasChanged: true }, meaning: "changed since the layer below" }] : []),
    ...(choices.hasTint ? [{ word: { probability: 1 }, meaning: "tint: probability, none 0, full 1" }] : []),
  ];
  let x = 0;
  let y = 8;
  const parts = marks.map(({ word, meaning }) => {
    const sample = textWidth("word", SIZE);
    const width = sample + 4 + textWidth(meaning, SMALL) + 12;
    if (x > 0 && x + width > room) {
      x = 0;
      y += 14;
    }
    const svg =
      element(
        "g",
        DATA,
        drawWord({ ...PLAIN, ...word }, "word", { x, y, width: sample }, choices.hasTint, palette),
      ) + textElement(x + sample + 4, y, meaning, { "font-size": SMALL, fill: palette["text-muted"] });
    x += width;
    return svg;
  });
  return { width: room, height: parts.length === 0 ? 0 : y + 8, svg: parts.join("") };
}

const PLAIN: LayerWord = {
  index: -1,
  kind: "first",
  tokenId: -1,
  probability: Number.NaN,
  hasChanged: false,
};

function drawText(state: LayersState, room: number, palette: Palette): Drawing {
  const { passages, words, forms, columns, choices } = state;
  const lineHeight = choices.hasActual ? LINE.double : LINE.single;
  const byIndex = new Map(words.map((word) => [word.index, word]));
  const parts: string[] = [];
  let y = SIZE + 2;
  // A line break at the end leaves no empty line.
  let bottom = y;
  for (const [i, { lines, kind }] of passages.entries()) {
    if (passages.length > 1) {
      if (i > 0) y += 5;
      parts.push(
        textElement(0, y, kind === "prompt" ? "You" : "Model", {
          "font-size": SMALL,
          fill: palette["text-quiet"],
        }),
      );
      y += 12;
    }
    for (const line of lines) {
      let x = 0;
      for (const index of line) {
        const word = byIndex.get(index);
        if (word === undefined) continue;
        const { lead, body: whole } = formOf(word, forms, columns, byIndex);
        const body = cutText(whole, SIZE, room);
        const own = forms.actual(index);
        const actual = choices.hasActual && !isInText(word) ? own.lead + own.body : "";
        const bodyWidth = textWidth(body, SIZE);
        const leadWidth = textWidth(lead, SIZE);
        const width = Math.min(room, Math.max(leadWidth + bodyWidth, textWidth(actual, SMALL) + 2));
        if (x > 0 && x + width > room) {
          x = 0;
          y += lineHeight;
        }
        const marked: LayerWord = {
          ...word,
          kind: choices.hasMarks || word.kind === "unread" ? word.kind : "first",
          hasChanged: choices.hasChanges && word.hasChanged,
        };
        parts.push(
          drawWord(marked, body, { x: x + leadWidth, y, width: bodyWidth }, choices.hasTint, palette),
        );
        if (actual !== "") {
          parts.push(
            textElement(x + textWidth(own.lead, SMALL), y + 7.5, cutText(own.body, SMALL, room), {
              "font-size": SMALL,
              fill: palette["text-muted"],
            }),
          );
        }
        x += width;
        bottom = y + (actual === "" ? 4 : 11);
      }
      y += lineHeight;
    }
  }
  return { width: room, height: bottom, svg: element("g", DATA, ...parts) };
}

/** A word with its marks, its baseline at `y`. */
function drawWord(
  { kind, hasChanged, probability }: LayerWord,
  body: string,
  { x, y, width }: { readonly x: number; readonly y: number; readonly width: number },
  hasTint: boolean,
  palette: Palette,
): string {
  const line = (at: number, stroke: string, thickness: number, dash?: string): string =>
    element("path", {
      d: `M${Math.round(100 * x) / 100} ${at}h${Math.round(100 * width) / 100}`,
      stroke,
      "stroke-width": thickness,
      "stroke-dasharray": dash,
    });
  return [
    kind === "unread" || (hasTint && !Number.isNaN(probability))
      ? element("rect", {
          x,
          y: y - SIZE + 0.5,
          width,
          height: SIZE + 2,
          fill: kind === "unread" ? palette["surface-sunken"] : palette["data-actual"],
          "fill-opacity": kind === "unread" ? undefined : MOST_TINT * probability,
        })
      : "",
    textElement(x, y, body, {
      "font-size": SIZE,
      "font-weight": kind === "actual" ? 700 : undefined,
      fill: kind === "other" && !hasTint ? palette["text-muted"] : palette.text,
    }),
    kind === "output" ? line(y + 2.2, palette["data-bar"], 1.2) : "",
    kind === "other" ? line(y + 2.2, palette["line-strong"], 0.9, "1 1.2") : "",
    hasChanged ? line(y - SIZE, palette["series-1"], 1.2) : "",
  ].join("");
}

/** Leaves black text more than 4.5:1 on it. */
const MOST_TINT = 0.5;
