/** The words of a layer as a drawing: the agreement of all layers, what the marks mean, then the text. */
import { DATA, type Drawing, FigureTooLarge, PAPER } from "@/charts/figure/figure";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import { formatCount } from "@/model/format";
import { layerLabel } from "@/model/layers";
import type { LayersState } from "./viewExport";
import type { LayerWord } from "./layerWords";
import { formOf, isInText } from "./shownForm";

const WIDTH = 760;
const SIZE = 13;
const SMALL = 10;
const LINE = { single: 26, double: 38 } as const;
const STRIP = { height: 44, label: 16, gap: 20 } as const;
/** No more than this many words are drawn. */
const MAX_WORDS = 20_000;

export function drawWords(state: LayersState): Drawing {
  const { words } = state;
  if (words.length > MAX_WORDS) {
    throw new FigureTooLarge(
      `${formatCount(words.length)} words are too many for one picture, which holds ${formatCount(MAX_WORDS)}. Take the CSV or the JSON.`,
    );
  }
  const strip = drawStrip(state);
  const legend = drawLegend(state);
  const text = drawText(state);
  const at = (y: number, svg: string): string => element("g", { transform: `translate(0 ${y})` }, svg);
  const textTop = strip.height + legend.height + 8;
  return {
    width: WIDTH,
    height: textTop + text.height,
    svg: strip.svg + at(strip.height, legend.svg) + at(textTop, text.svg),
  };
}

/** The share of tokens that are those of the text, for each layer; the one that is shown stands out. */
function drawStrip({ agreement, layer, last }: LayersState): Drawing {
  const column = WIDTH / (last + 1);
  const every = [1, 2, 5, 10, 20, 50].find((step) => step * column >= 34) ?? 100;
  const top = 16;
  const bars = Array.from({ length: last + 1 }, (_, at) => {
    const count = agreement?.nActual[at] ?? 0;
    const height = agreement === null || agreement.nRead === 0 ? 0 : (STRIP.height * count) / agreement.nRead;
    const isLabelled = at === 0 || at === last || at === layer || (at % every === 0 && last - at >= every);
    const isHere = at === layer;
    return [
      isHere
        ? element("rect", {
            x: at * column,
            y: top,
            width: column,
            height: STRIP.height,
            fill: PAPER["data-bar-soft"],
          })
        : "",
      element("rect", {
        x: at * column + column * 0.19,
        y: top + STRIP.height - height,
        width: column * 0.62,
        height,
        fill: PAPER["data-actual"],
      }),
      isLabelled
        ? textElement((at + 0.5) * column, top + STRIP.height + 13, layerLabel(at), {
            "text-anchor": "middle",
            "font-size": SMALL,
            "font-weight": isHere ? 700 : undefined,
            fill: isHere ? PAPER.text : PAPER["text-muted"],
          })
        : "",
    ].join("");
  });
  return {
    width: WIDTH,
    height: top + STRIP.height + STRIP.label + STRIP.gap,
    svg: [
      textElement(0, 10, "share of tokens that are what stands in the text, by layer, 0 to 1", {
        "font-size": SMALL,
        fill: PAPER["text-muted"],
      }),
      element("path", {
        d: `M0 ${top + STRIP.height}H${WIDTH}M0 ${top}H${WIDTH}`,
        stroke: PAPER.line,
        "stroke-width": 1,
      }),
      element("g", DATA, ...bars),
    ].join(""),
  };
}

function drawLegend({ choices }: LayersState): Drawing {
  const marks: readonly { readonly word: Partial<LayerWord>; readonly meaning: string }[] = [
    ...(choices.hasMarks
      ? ([
          { word: { kind: "actual" }, meaning: "stands in the text" },
          { word: { kind: "output" }, meaning: "the output’s choice, not the text’s" },
          { word: { kind: "other" }, meaning: "differs" },
        ] as const)
      : []),
    ...(choices.hasChanges ? [{ word: { hasChanged: true }, meaning: "changed since the layer below" }] : []),
    ...(choices.hasTint ? [{ word: { probability: 1 }, meaning: "tint: probability, none 0, full 1" }] : []),
  ];
  let x = 0;
  let y = 12;
  const parts = marks.map(({ word, meaning }) => {
    const sample = textWidth("word", SIZE);
    const width = sample + 8 + textWidth(meaning, SMALL) + 20;
    if (x > 0 && x + width > WIDTH) {
      x = 0;
      y += 22;
    }
    const svg =
      element("g", DATA, drawWord({ ...PLAIN, ...word }, "word", x, y, sample, choices.hasTint)) +
      textElement(x + sample + 8, y, meaning, { "font-size": SMALL, fill: PAPER["text-muted"] });
    x += width;
    return svg;
  });
  return { width: WIDTH, height: parts.length === 0 ? 0 : y + 14, svg: parts.join("") };
}

const PLAIN: LayerWord = {
  index: -1,
  kind: "first",
  tokenId: -1,
  probability: Number.NaN,
  hasChanged: false,
};

function drawText(state: LayersState): Drawing {
  const { passages, words, forms, columns, choices } = state;
  const lineHeight = choices.hasActual ? LINE.double : LINE.single;
  const byIndex = new Map(words.map((word) => [word.index, word]));
  const parts: string[] = [];
  let y = SIZE + 4;
  for (const [i, { lines, kind }] of passages.entries()) {
    if (passages.length > 1) {
      if (i > 0) y += 8;
      parts.push(
        textElement(0, y, kind === "prompt" ? "You" : "Model", {
          "font-size": SMALL,
          fill: PAPER["text-quiet"],
        }),
      );
      y += 20;
    }
    for (const line of lines) {
      let x = 0;
      for (const index of line) {
        const word = byIndex.get(index);
        if (word === undefined) continue;
        const { lead, body: whole } = formOf(word, forms, columns, byIndex);
        const body = cutText(whole, SIZE, WIDTH);
        const own = forms.actual(index);
        const actual = choices.hasActual && !isInText(word) ? own.lead + own.body : "";
        const bodyWidth = textWidth(body, SIZE);
        const leadWidth = textWidth(lead, SIZE);
        const width = Math.min(WIDTH, Math.max(leadWidth + bodyWidth, textWidth(actual, SMALL) + 2));
        if (x > 0 && x + width > WIDTH) {
          x = 0;
          y += lineHeight;
        }
        const marked: LayerWord = {
          ...word,
          kind: choices.hasMarks || word.kind === "unread" ? word.kind : "first",
          hasChanged: choices.hasChanges && word.hasChanged,
        };
        parts.push(drawWord(marked, body, x + leadWidth, y, bodyWidth, choices.hasTint));
        if (actual !== "") {
          parts.push(
            textElement(x + textWidth(own.lead, SMALL), y + 13, cutText(own.body, SMALL, WIDTH), {
              "font-size": SMALL,
              fill: PAPER["text-muted"],
            }),
          );
        }
        x += width;
      }
      y += lineHeight;
    }
  }
  return { width: WIDTH, height: y, svg: element("g", DATA, ...parts) };
}

/** A word with its marks, its baseline at `y`. */
function drawWord(
  { kind, hasChanged, probability }: LayerWord,
  body: string,
  x: number,
  y: number,
  width: number,
  hasTint: boolean,
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
          y: y - SIZE,
          width,
          height: SIZE + 4,
          fill: kind === "unread" ? PAPER["surface-sunken"] : PAPER["data-actual"],
          "fill-opacity": kind === "unread" ? undefined : MOST_TINT * probability,
        })
      : "",
    textElement(x, y, body, {
      "font-size": SIZE,
      "font-weight": kind === "actual" ? 700 : undefined,
      fill: kind === "other" && !hasTint ? PAPER["text-muted"] : PAPER.text,
    }),
    kind === "output" ? line(y + 4, PAPER["data-bar"], 2) : "",
    kind === "other" ? line(y + 4, PAPER["line-strong"], 1.5, "1.5 2") : "",
    hasChanged ? line(y - SIZE - 1, PAPER["series-1"], 2) : "",
  ].join("");
}

/** Leaves black text more than 4.5:1 on it. */
const MOST_TINT = 0.5;
