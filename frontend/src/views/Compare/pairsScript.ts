/** Python that computes what Compare shows: each timeline by itself, then how far two predictions are apart. */
import { type ViewScript, code, pythonNumber, tupleList } from "@/features/export/scriptSection";
import { type ShownTimeline, timelineScript } from "@/features/export/timelineScript";

/** Two predictions beside each other: at a layer of one position, and at a layer of a position of the other timeline. */
export interface ShownPair {
  readonly position: number;
  readonly layer: number;
  readonly otherPosition: number;
  readonly otherLayer: number;
  /** KL(this ‖ other) and KL(other ‖ this). */
  readonly klToOtherNats: number;
  readonly klFromOtherNats: number;
  readonly jsNats: number;
}

export function pairsScript(
  a: Omit<ShownTimeline, "predictions">,
  b: Omit<ShownTimeline, "predictions">,
  pairs: readonly ShownPair[],
  model: Parameters<typeof timelineScript>[1],
): ViewScript {
  const both = timelineScript(
    [
      { ...a, predictions: [], title: "A", morePositions: pairs.map(({ position }) => position) },
      {
        ...b,
        predictions: [],
        title: "B",
        prefix: "OTHER_",
        morePositions: pairs.map(({ otherPosition }) => otherPosition),
      },
    ],
    model,
  );
  return {
    ...both,
    imports: [...both.imports, "math"],
    nNumbers: both.nNumbers + pairs.length,
    sections: [...both.sections, code(...pairLines(pairs)), code(...COMPARE_PAIRS)],
    run: [...both.run, `compare_pairs(captured, ${a.lens}_lens, other_captured, ${b.lens}_lens, PAIRS)`],
  };
}

const pairLines = (pairs: readonly ShownPair[]): string[] => [
  "# Position and layer of A, of B, KL(A || B), KL(B || A), Jensen-Shannon divergence; all in nats.",
  `PAIRS = ${tupleList(
    pairs.map((row) => [
      String(row.position),
      String(row.layer),
      String(row.otherPosition),
      String(row.otherLayer),
      pythonNumber(row.klToOtherNats),
      pythonNumber(row.klFromOtherNats),
      pythonNumber(row.jsNats),
    ]),
  )}`,
];

const COMPARE_PAIRS = [
  "def kl_nats(log_p, log_q):",
  "    return (log_p.exp() * (log_p - log_q)).sum().item()",
  "",
  "",
  "def compare_pairs(captured, lens, other_captured, other_lens, pairs):",
  "    for position, other_position in sorted({(row[0], row[2]) for row in pairs}):",
  "        log_p = log_probs(captured, lens, position)",
  "        log_q = log_probs(other_captured, other_lens, other_position)",
  "        for at, layer, other_at, other_layer, shown_kl, shown_back, shown_js in pairs:",
  "            if (at, other_at) != (position, other_position):",
  "                continue",
  "            p, q = log_p[row(layer)], log_q[row(other_layer)]",
  "            middle = torch.logaddexp(p, q) - math.log(2)",
  "            js = (kl_nats(p, middle) + kl_nats(q, middle)) / 2",
  "            for what, shown, computed, rounding in [",
  '                ("KL(A || B), nats", shown_kl, kl_nats(p, q), precision(q)),',
  '                ("KL(B || A), nats", shown_back, kl_nats(q, p), precision(p)),',
  '                ("Jensen-Shannon, nats", shown_js, js, TOLERANCE),',
  "            ]:",
  '                place, layers = f"{at} | {other_at}", f"{layer} | {other_layer}"',
  "                compare(place, layers, what, shown, computed, is_near(shown, computed, rounding))",
] as const;
