/** The table of Standard as a drawing: a row for each layer, with as many of the most probable tokens as the width has room for. */
import { DATA, type Drawing, type FigureLayout } from "@/charts/figure/figure";
import { TYPE } from "@/charts/figure/size";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import type { Token } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import type { Reading } from "@/reading/lens";

type Layer = Reading["layers"][number];

interface LayersDrawing {
  readonly layers: readonly Layer[];
  /** The token that follows; null where none does yet. */
  readonly actual: Token | null;
  /** Sets the full length of an entropy bar. */
  readonly vocabularySize: number;
}

const ACTUAL_WIDTH = 40;
const NATS_WIDTH = 34;
const BAR_WIDTH = 26;
const GAP = 3;
/** Room for eight characters of a token. */
const MIN_CHIP = 38;
const MAX_CHIP = 90;
const HEAD_HEIGHT = 21;
/** A deeper model has one line of type a layer: token and probability side by side. */
const MAX_TALL_ROWS = 20;

export function drawLayers(
  { layers, actual, vocabularySize }: LayersDrawing,
  { width, palette }: FigureLayout,
): Drawing {
  const topK = layers[0]?.predictions.length ?? 0;
  const labelWidth = Math.max(20, ...layers.map(({ label }) => textWidth(label, TYPE.body))) + 4;
  const room = width - labelWidth - ACTUAL_WIDTH - 2 * NATS_WIDTH - GAP;
  const nChips = Math.max(1, Math.min(topK, Math.floor((room + GAP) / (MIN_CHIP + GAP))));
  const chipWidth = Math.min(MAX_CHIP, (room + GAP) / nChips - GAP);
  const isTall = layers.length <= MAX_TALL_ROWS;
  const isBeside = !isTall && chipWidth >= 1.6 * MIN_CHIP;
  const chipHeight = isTall ? 17 : 10;
  const rowHeight = chipHeight + GAP;
  const actualX = labelWidth + nChips * (chipWidth + GAP) + GAP;
  const entropyX = actualX + ACTUAL_WIDTH + NATS_WIDTH;
  const klX = entropyX + NATS_WIDTH;
  const maxEntropy = Math.log(Math.max(2, vocabularySize));
  const maxKl = Math.max(1e-12, ...layers.map((layer) => layer.kl_to_final_nats));
  const quiet = { fill: palette["text-muted"], "font-size": TYPE.small };

  const head = (x: number, name: string, unit: string, more = {}): string =>
    textElement(x, 7, name, { fill: palette.text, "font-weight": 600, ...more }) +
    textElement(x, 15, unit, { ...quiet, ...more });
  const atEnd = { "text-anchor": "end" } as const;
  const heads = [
    head(0, "layer", ""),
    head(
      labelWidth,
      nChips < topK ? `top ${nChips} of ${topK}` : `top ${topK}`,
      isTall || isBeside ? "token, probability" : "token",
    ),
    actual === null
      ? head(actualX, "next", "none yet")
      : head(
          actualX,
          cutText(cellText(actual), TYPE.body, ACTUAL_WIDTH - 2),
          isTall ? "rank, prob." : "rank",
        ),
    head(entropyX, "entropy", "nats", atEnd),
    head(klX, "KL final", "nats", atEnd),
  ];

  const nats = (x: number, y: number, value: number, share: number): string => {
    const bar = { x: x - BAR_WIDTH, y: y + 11, height: 2 };
    const text = textElement(x, y + 7, formatNats(value), { fill: palette.text, ...atEnd });
    if (!isTall) return text;
    return (
      text +
      element("rect", { ...bar, width: BAR_WIDTH, fill: palette.line }) +
      element("rect", {
        ...bar,
        width: BAR_WIDTH * Math.min(1, Math.max(0, share)),
        fill: palette["line-strong"],
      })
    );
  };
  const chip = (
    { token_id, text, probability }: Layer["predictions"][number],
    x: number,
    y: number,
  ): string => {
    const isActual = token_id === actual?.id;
    const share = formatProbability(probability);
    const nameRoom = chipWidth - 5 - (isBeside ? textWidth(share, TYPE.small) + 4 : 0);
    const bar = { x, width: chipWidth * probability };
    return [
      element("rect", { x, y, width: chipWidth, height: chipHeight, fill: palette["surface-sunken"] }),
      element("rect", {
        ...bar,
        y,
        height: chipHeight,
        fill: isActual ? palette["data-actual-soft"] : palette["data-bar-soft"],
      }),
      element("rect", {
        ...bar,
        y: y + chipHeight - 1.2,
        height: 1.2,
        fill: isActual ? palette["data-actual"] : palette["data-bar"],
      }),
      textElement(x + 2.5, y + 7, cutText(cellTextOfText(text), TYPE.body, nameRoom), {
        fill: palette.text,
        "font-weight": isActual ? 700 : undefined,
      }),
      isTall ? textElement(x + 2.5, y + 14, share, quiet) : "",
      isBeside ? textElement(x + chipWidth - 2.5, y + 7, share, { ...quiet, ...atEnd }) : "",
    ].join("");
  };
  const rows = layers.toReversed().map((layer, row) => {
    const y = HEAD_HEIGHT + row * rowHeight;
    const own = layer.actual;
    const isFirst = own?.rank === 1;
    return [
      row === 0
        ? ""
        : element("path", { d: `M0 ${y - GAP / 2}H${klX}`, stroke: palette.line, "stroke-width": 0.4 }),
      textElement(0, y + 7, layer.label, { fill: palette["text-muted"] }),
      ...layer.predictions
        .slice(0, nChips)
        .map((prediction, k) => chip(prediction, labelWidth + k * (chipWidth + GAP), y)),
      own === null
        ? ""
        : textElement(actualX, y + 7, `#${formatRank(own.rank)}`, {
            fill: isFirst ? palette["data-actual"] : palette.text,
            "font-weight": isFirst ? 700 : undefined,
          }) + (isTall ? textElement(actualX, y + 14, formatProbability(own.probability), quiet) : ""),
      nats(entropyX, y, layer.entropy_nats, layer.entropy_nats / maxEntropy),
      nats(klX, y, layer.kl_to_final_nats, layer.kl_to_final_nats / maxKl),
    ].join("");
  });
  return {
    width: klX,
    height: HEAD_HEIGHT + layers.length * rowHeight - GAP,
    svg: heads.join("") + element("g", DATA, ...rows),
  };
}
