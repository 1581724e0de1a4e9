/** The Standard view to take away: the layers of one position with their top-k and the actual token. */
import { DATA, type Drawing, PAPER } from "@/charts/figure/figure";
import { cutText, element, textElement } from "@/charts/figure/svg";
import {
  type ShownPrediction,
  type ShownProbability,
  timelineScript,
} from "@/features/export/timelineScript";
import type { ViewExport } from "@/features/export/viewExport";
import type { Cell } from "@/features/export/table";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import type { Token } from "@/model/timeline";
import { cellText, cellTextOfText, losslessTextOf } from "@/model/tokens";
import type { Reading } from "@/reading/lens";

export interface StandardState {
  readonly tokens: readonly Token[];
  readonly reading: Reading;
  /** Sets the full length of an entropy bar. */
  readonly vocabularySize: number;
}

const COLUMNS = [
  { key: "layer", unit: null },
  { key: "layer_label", unit: null },
  { key: "read_at_index", unit: null },
  { key: "read_at_token_id", unit: null },
  { key: "read_at_text", unit: null },
  { key: "predicts_index", unit: null },
  { key: "token_id", unit: null },
  { key: "token_text", unit: null },
  { key: "is_actual", unit: "1 for the token that follows" },
  { key: "rank", unit: "1 is the first choice" },
  { key: "probability", unit: "0 to 1" },
  { key: "logprob_nats", unit: "nats" },
  { key: "entropy_nats", unit: "nats" },
  { key: "kl_to_final_nats", unit: "nats" },
] as const;

interface Prediction {
  readonly id: number;
  readonly text: string;
  readonly rank: number;
  readonly probability: number;
}

export function standardExport({ tokens, reading, vocabularySize }: StandardState): ViewExport {
  const { position, layers } = reading;
  const read = tokens[position];
  const actual = tokens[position + 1] ?? null;
  // The actual token has its row too where it is outside the top k.
  const predictionsOf = (layer: Reading["layers"][number]): Prediction[] => {
    const top = layer.predictions.map(({ token_id, text, rank, probability }) => ({
      id: token_id,
      text,
      rank,
      probability,
    }));
    return actual === null || layer.actual === null || top.some(({ id }) => id === actual.id)
      ? top
      : [...top, { id: actual.id, text: losslessTextOf(actual), ...layer.actual }];
  };
  const readText = read === undefined ? "" : `“${cellText(read)}”`;
  const probabilities: ShownProbability[] = layers.flatMap((layer) =>
    predictionsOf(layer).map(({ id, rank, probability }) => ({
      position,
      layer: layer.layer,
      tokenIds: [id],
      probability,
      rank,
    })),
  );
  const predictions: ShownPrediction[] = layers.map((layer) => ({
    position,
    layer: layer.layer,
    entropyNats: layer.entropy_nats,
    klToFinalNats: layer.kl_to_final_nats,
  }));
  return {
    title:
      actual === null
        ? `What is predicted after ${readText}, layer by layer`
        : `How “${cellText(actual)}” was predicted, layer by layer`,
    facts: [
      `Read at index ${position} ${readText}, predicts index ${position + 1}${actual === null ? " (nothing there yet)" : ` “${cellText(actual)}”`}`,
      `Top ${layers[0]?.predictions.length ?? 0} of each layer with their probabilities; entropy and KL(final ‖ layer) in nats`,
    ],
    place: `${position}-${actual?.text ?? "next"}`,
    table: {
      columns: COLUMNS,
      rows: layers.flatMap((layer) =>
        predictionsOf(layer).map(({ id, text, rank, probability }): Cell[] => [
          layer.layer,
          layer.label,
          position,
          read?.id ?? null,
          read?.text ?? null,
          position + 1,
          id,
          text,
          actual === null ? null : Number(id === actual.id),
          rank,
          probability,
          probability > 0 ? Math.log(probability) : null,
          layer.entropy_nats,
          layer.kl_to_final_nats,
        ]),
      ),
    },
    draw: () => draw(layers, actual, vocabularySize),
    places: layers.map(({ layer }) => ({ position, layer })),
    script: ({ lens }) => timelineScript([{ lens, tokens, probabilities, predictions }]),
  };
}

const LABEL_WIDTH = 52;
const CHIP = { width: 104, height: 32, gap: 4 } as const;
const ACTUAL_WIDTH = 92;
const BAR_WIDTH = 76;
const HEAD_HEIGHT = 34;
const SIZE = 11;
const SMALL = 10;

function draw(layers: Reading["layers"], actual: Token | null, vocabularySize: number): Drawing {
  const topK = layers[0]?.predictions.length ?? 0;
  const perLine = Math.min(topK, topK > 10 ? 10 : 5);
  const lines = Math.ceil(topK / perLine);
  const rowHeight = lines * (CHIP.height + CHIP.gap) + 4;
  const actualX = LABEL_WIDTH + perLine * (CHIP.width + CHIP.gap) + 10;
  const entropyX = actualX + ACTUAL_WIDTH;
  const klX = entropyX + BAR_WIDTH + 12;
  const width = klX + BAR_WIDTH;
  const maxEntropy = Math.log(Math.max(2, vocabularySize));
  const maxKl = Math.max(...layers.map((layer) => layer.kl_to_final_nats), 1e-12);
  const height = HEAD_HEIGHT + layers.length * rowHeight;

  const head = (x: number, name: string, unit: string, anchor = "start"): string =>
    textElement(x, 11, name, { fill: PAPER.text, "font-weight": 500, "text-anchor": anchor }) +
    textElement(x, 25, unit, { fill: PAPER["text-quiet"], "font-size": SMALL, "text-anchor": anchor });
  const heads = [
    head(0, "layer", ""),
    head(LABEL_WIDTH, `top ${topK}`, "token, probability"),
    actual === null
      ? head(actualX, "next token", "nothing there yet")
      : head(actualX, `actual ${cutText(cellText(actual), SIZE, 48)}`, "rank, probability"),
    head(entropyX + BAR_WIDTH, "entropy", "nats", "end"),
    head(klX + BAR_WIDTH, "KL to final", "nats", "end"),
  ];

  const bar = (x: number, y: number, value: number, share: number): string =>
    textElement(x + BAR_WIDTH, y + 13, formatNats(value), {
      ...DATA,
      fill: PAPER.text,
      "text-anchor": "end",
    }) +
    element("rect", {
      x: x + BAR_WIDTH - 48,
      y: y + 20,
      width: 48,
      height: 3,
      fill: PAPER["surface-sunken"],
    }) +
    element("rect", {
      x: x + BAR_WIDTH - 48,
      y: y + 20,
      width: 48 * Math.min(1, Math.max(0, share)),
      height: 3,
      fill: PAPER["line-strong"],
    });
  const rows = layers.toReversed().map((layer, row) => {
    const y = HEAD_HEIGHT + row * rowHeight;
    const chips = layer.predictions.map(({ token_id, text, probability }, k) => {
      const x = LABEL_WIDTH + (k % perLine) * (CHIP.width + CHIP.gap);
      const top = y + Math.floor(k / perLine) * (CHIP.height + CHIP.gap);
      const isActual = token_id === actual?.id;
      return [
        element("rect", { x, y: top, width: CHIP.width, height: CHIP.height, fill: PAPER["surface-sunken"] }),
        element("rect", {
          x,
          y: top,
          width: CHIP.width * probability,
          height: CHIP.height,
          fill: isActual ? PAPER["data-actual-soft"] : PAPER["data-bar-soft"],
        }),
        element("rect", {
          x,
          y: top + CHIP.height - 2,
          width: CHIP.width * probability,
          height: 2,
          fill: isActual ? PAPER["data-actual"] : PAPER["data-bar"],
        }),
        textElement(x + 5, top + 13, cutText(cellTextOfText(text), SIZE, CHIP.width - 10), {
          fill: PAPER.text,
          "font-weight": isActual ? 700 : undefined,
        }),
        textElement(x + 5, top + 26, formatProbability(probability), {
          fill: PAPER["text-muted"],
          "font-size": SMALL,
        }),
      ].join("");
    });
    return [
      row === 0 ? "" : element("path", { d: `M0 ${y - 4}H${width}`, stroke: PAPER.line, "stroke-width": 1 }),
      element(
        "g",
        DATA,
        textElement(0, y + 13, layer.label, { fill: PAPER["text-muted"] }),
        ...chips,
        layer.actual === null
          ? ""
          : textElement(actualX, y + 13, `#${formatRank(layer.actual.rank)}`, {
              fill: layer.actual.rank === 1 ? PAPER["data-actual"] : PAPER.text,
              "font-weight": layer.actual.rank === 1 ? 700 : undefined,
            }) +
              textElement(actualX, y + 26, formatProbability(layer.actual.probability), {
                fill: PAPER["text-muted"],
                "font-size": SMALL,
              }),
        bar(entropyX, y, layer.entropy_nats, layer.entropy_nats / maxEntropy),
        bar(klX, y, layer.kl_to_final_nats, layer.kl_to_final_nats / maxKl),
      ),
    ].join("");
  });
  return { width, height, svg: [...heads, ...rows].join("") };
}
