/** Python that captures residual streams and decodes them through a lens. */
import type { LensKind } from "@/model/lenses";
import { literal, wrappedList } from "./scriptSection";

/** What captures the residual streams; with half layers also those inside the blocks. */
export const captureLines = (hasHalf: boolean): string[] => [
  "def capture(token_ids):",
  '    """Residual streams, [position, width] each, and whether a block gives back a tuple.',
  "",
  "    One pass. Layer 0 is the stream after the embedding, layer n that after block n.",
  ...(hasHalf ? ["    Layer n - 0.5 is the stream inside block n, after attention and before the MLP."] : []),
  '    """',
  "    ids = torch.tensor([token_ids], device=hf_model.device)",
  "    with model.trace(input_ids=ids, use_cache=False):",
  "        streams = nnsight.save([blocks[0].input[0].clone()])",
  ...(hasHalf
    ? [
        "        for block, path in zip(blocks, MIDDLES):",
        '            middle = functools.reduce(getattr, path.split("."), block).input',
        "            streams.append(middle.reshape(len(token_ids), -1).clone())",
      ]
    : ["        for block in blocks:"]),
  "            output = block.output",
  "            is_tuple = nnsight.save(isinstance(output, tuple))",
  "            streams.append((output[0] if is_tuple else output)[0].clone())",
  "    return streams, is_tuple",
];

/** Which module of each block is given the half layer. */
export const middleLines = (modules: readonly string[]): string[] => [
  "# Of each block the module whose input is the stream after attention.",
  `MIDDLES = ${wrappedList(modules.map(literal))}`,
];

export const rowLines = (hasHalf: boolean): string[] => [
  "# The place of a layer among those captured.",
  "def row(layer):",
  hasHalf ? "    return int(2 * layer)" : "    return layer",
];

/** Name of the file of a fitted lens in the program. */
export const lensFileName = (kind: LensKind): string => `${kind.toUpperCase()}_LENS_FILE`;

export function lensLines(kind: LensKind): string[] {
  switch (kind) {
    case "logit":
      return [
        "def logit_lens(row, layer):",
        '    """The logit lens (nostalgebraist 2020) leaves a residual stream as it is."""',
        "    return row",
      ];
    case "tuned":
      return [
        `tuned = load_file(${lensFileName(kind)})`,
        "",
        "",
        "def tuned_lens(row, layer):",
        '    """The tuned lens (Belrose et al. 2023, arXiv:2303.08112) is an affine map for each layer."""',
        "    if layer == n_layers:",
        "        return row",
        '    weight, bias = (tuned[f"{name}.{layer}"].float().to(row.device) for name in ("weight", "bias"))',
        "    return (row.float() + weight @ row.float() + bias).to(row.dtype)",
      ];
    case "jacobian":
      return [
        `jacobian = load_file(${lensFileName(kind)})`,
        "",
        "",
        "def jacobian_lens(row, layer):",
        '    """The Jacobian lens multiplies by the average effect of a layer on the last residual stream."""',
        "    if layer == n_layers:",
        "        return row",
        '    return (jacobian[f"jacobian.{layer}"].float().to(row.device) @ row.float()).to(row.dtype)',
      ];
  }
}

export const DECODE = [
  "def log_probs(captured, lens, position):",
  '    """Log-probabilities of the next token at every layer captured, [layers, vocabulary].',
  "",
  "    With all blocks skipped, what is left of the model is its own final norm and unembedding.",
  '    """',
  "    streams, is_tuple = captured",
  "    rows = torch.stack([lens(stream[position], layer) for layer, stream in enumerate(streams)])[:, None]",
  "    no_ids = torch.zeros(len(rows), 1, dtype=torch.long, device=rows.device)",
  "    with model.trace(input_ids=no_ids, use_cache=False):",
  "        for block in blocks:",
  "            block.skip((rows,) if is_tuple else rows)",
  "        logits = nnsight.save(model.output.logits)",
  "    return logits[:, 0].cpu().double().log_softmax(-1)",
] as const;
