/** Python that computes rows of attention again: by transformers' eager attention, and for what is written by hand. */
import { type ViewScript, code, pythonNumber, tupleList, wrappedList } from "@/features/export/scriptSection";
import type { Token } from "@/model/timeline";
import { type Head, type Rows, firstOf } from "./heads";

const RUN = [
  "from transformers import DynamicCache",
  "",
  "# Its blocks, as a module with one entry for each.",
  'PREFIX = min(lists, key=lambda name: name.count("."))',
  "# Eager attention returns its weights; in half precision it rounds differently.",
  "ROUNDING = TOLERANCE if hf_model.dtype == torch.float32 else 2e-2",
  'hf_model.set_attn_implementation("eager")',
  "",
  "",
  "def run(token_ids):",
  '    """Weights and values of each block with attention, and what went in and out of every module."""',
  "    inputs, outputs = {}, {}",
  "",
  "    def keep(name):",
  "        def hook(module, args, output):",
  "            output = output[0] if isinstance(output, tuple) else output",
  "            if args and torch.is_tensor(args[0]) and torch.is_tensor(output):",
  "                inputs[name], outputs[name] = args[0][0, -1].float(), output[0, -1].float()",
  "        return hook",
  "",
  "    hooks = [m.register_forward_hook(keep(name)) for name, m in hf_model.named_modules() if name]",
  "    ids, cache = torch.tensor([token_ids], device=hf_model.device), DynamicCache()",
  "    output = hf_model(ids, output_attentions=True, past_key_values=cache, use_cache=True)",
  "    for hook in hooks:",
  "        hook.remove()",
  "    weights = [each[0, :, -1].float() for each in output.attentions if each is not None]",
  '    assert len(weights) == len(BLOCKS), f"{len(weights)} blocks give weights, not {len(BLOCKS)}"',
  "    values = [cache.layers[block - 1].values[0].float() for block in BLOCKS]",
  "    return dict(zip(BLOCKS, weights)), dict(zip(BLOCKS, values)), inputs, outputs",
] as const;

const WRITTEN = [
  "def frozen(norm, x):",
  '    """A norm with the scale that it has at `x`: a linear map. Found by trying LayerNorm and RMSNorm."""',
  '    eps = next((getattr(norm, n) for n in ("eps", "variance_epsilon") if hasattr(norm, n)), 1e-6)',
  '    bias = getattr(norm, "bias", None)',
  "    given = norm(x.to(norm.weight.dtype)).float()",
  "    for is_centred in (True, False):",
  "        for gain in (norm.weight.float(), 1 + norm.weight.float()):",
  "            def linear(v, is_centred=is_centred, gain=gain):",
  "                centred, at = (v - v.mean(-1, keepdim=True), x - x.mean()) if is_centred else (v, x)",
  "                return centred * (at.pow(2).mean() + eps).rsqrt() * gain",
  "            found = linear(x) if bias is None else linear(x) + bias.float()",
  "            if (found - given).abs().max() <= ROUNDING * given.abs().max():",
  "                return linear",
  '    raise SystemExit("A norm of this model is neither LayerNorm nor RMSNorm.")',
  "",
  "",
  "def is_same(a, b):",
  "    return a.shape == b.shape and (a - b).abs().max() <= ROUNDING * b.abs().max()",
  "",
  "",
  "def written(block, weights, values, inputs, outputs):",
  '    """What each source writes into the stream through each head, [heads, sources, width]."""',
  "    heads = values.repeat_interleave(len(weights) // len(values), 0)",
  "    mixed = (weights[:, None] @ heads)[:, 0].flatten()",
  '    own = [(n, m) for n, m in hf_model.named_modules() if n.startswith(f"{PREFIX}.{block - 1}.") and n in inputs]',
  "    # The projection is the matrix that was given what the heads put out.",
  '    is_matrix = lambda m: torch.is_tensor(getattr(m, "weight", None)) and m.weight.dim() == 2',
  "    name, projection = next((n, m) for n, m in own if is_matrix(m) and is_same(mixed, inputs[n]))",
  "    matrix = projection.weight.float()",
  "    matrix = matrix.T if isinstance(projection, torch.nn.Linear) else matrix",
  "    writes = (weights[..., None] * heads) @ matrix.view(len(weights), -1, matrix.shape[1])",
  "    # Some models norm what attention writes before they add it, or multiply it.",
  "    for n, m in own:",
  '        if torch.is_tensor(getattr(m, "weight", None)) and m.weight.dim() == 1 and is_same(outputs[name], inputs[n]):',
  "            writes = frozen(m, inputs[n])(writes)",
  '    return writes * getattr(hf_model.config, "residual_multiplier", 1.0)',
] as const;

const LOGITS = [
  "def logit_of(writes, inputs, outputs):",
  '    """What these add to the logit of the target less that of the foil, with the final norm frozen."""',
  "    head = hf_model.get_output_embeddings()",
  "    head_name = next(n for n, m in hf_model.named_modules() if m is head)",
  "    name, norm = next((n, m) for n, m in hf_model.named_modules() if n in outputs",
  '                      and not n.startswith(f"{PREFIX}.") and torch.is_tensor(getattr(m, "weight", None))',
  "                      and m.weight.dim() == 1 and is_same(outputs[n], inputs[head_name]))",
  "    rows = head.weight.float()",
  "    direction = rows[TARGET]",
  '    if FOIL == "mean":',
  "        direction = direction - rows.mean(0)",
  "    elif FOIL is not None:",
  "        direction = direction - rows[FOIL]",
  '    scale = getattr(hf_model.config, "logit_scale", None) or 1 / getattr(hf_model.config, "logits_scaling", 1.0)',
  "    return frozen(norm, inputs[name])(writes) @ direction * scale",
] as const;

/** The same pass, with the weights that one source gets. */
const runOf = (kind: Rows["kind"]): readonly string[] =>
  kind === "readBy" ? RUN.map((line) => line.replace("each[0, :, -1]", "each[0, :, SOURCE:, SOURCE]")) : RUN;

const COMPARE_COLUMNS = [
  "def compare_rows(computed):",
  "    for block, head, shown in ATTENTION:",
  "        for reader, (one, other) in enumerate(zip(shown, computed(block)[head].tolist(), strict=True), SOURCE):",
  '            compare(reader, block, f"head {head}, source {SOURCE}", one, other, is_near(one, other, ROUNDING))',
] as const;

const COMPARE_ROWS = [
  "def compare_rows(computed):",
  "    for block, head, shown in ATTENTION:",
  "        for source, (one, other) in enumerate(zip(shown, computed(block)[head].tolist(), strict=True)):",
  '            what = f"head {head}, source {source}"',
  "            compare(len(TOKEN_IDS) - 1, block, what, one, other, is_near(one, other, ROUNDING))",
] as const;

const MEANING: Readonly<Record<Rows["kind"], string>> = {
  weight: "attention weights",
  readBy: "attention that each token from the source on gives to it",
  norm: "lengths of what is written (Kobayashi et al. 2020)",
  logit: "contributions to the logit",
};

/** The rows of these heads, computed again. */
export function attentionScript(rows: Rows, heads: readonly Head[], tokens: readonly Token[]): ViewScript {
  const { kind, position, blocks, values, target, foil, foil_kind } = rows;
  const isReadBy = kind === "readBy";
  const first = firstOf(rows);
  const ids = tokens.slice(0, isReadBy ? rows.sources.length : position + 1).map(({ id }) => String(id));
  const foilText = foil === null ? (foil_kind === "mean" ? '"mean"' : "None") : String(foil.token_id);
  const written = "written(block, weights[block], values[block], inputs, outputs)";
  return {
    imports: [],
    lenses: [],
    nNumbers: heads.length * (rows.sources.length - first),
    inputs: [
      code(
        isReadBy
          ? "# The exact ids that the model was fed."
          : "# The exact ids that the model was fed, up to the position that reads.",
        `TOKEN_IDS = ${wrappedList(ids)}`,
        ...(isReadBy ? ["# The index that is read.", `SOURCE = ${position}`] : []),
        "# The blocks that have attention, from 1.",
        `BLOCKS = ${wrappedList(blocks.map(String))}`,
        ...(target === null ? [] : [`TARGET, FOIL = ${target.token_id}, ${foilText}`]),
      ),
    ],
    sections: [
      code(...runOf(kind)),
      ...(kind === "weight" || isReadBy ? [] : [code(...WRITTEN)]),
      ...(kind === "logit" ? [code(...LOGITS)] : []),
      code(
        `# The page's ${MEANING[kind]}: block, head, one number for each ${isReadBy ? "token from SOURCE on" : "source from index 0"}.`,
        `ATTENTION = ${tupleList(
          heads.map(({ block, head }) => [
            String(block),
            String(head),
            `[${(values[blocks.indexOf(block)]?.[head] ?? []).slice(first).map(pythonNumber).join(", ")}]`,
          ]),
        )}`,
      ),
      code(...(isReadBy ? COMPARE_COLUMNS : COMPARE_ROWS)),
    ],
    run: [
      "weights, values, inputs, outputs = run(TOKEN_IDS)",
      kind === "weight" || isReadBy
        ? "compare_rows(lambda block: weights[block])"
        : kind === "norm"
          ? `compare_rows(lambda block: ${written}.norm(dim=-1))`
          : `compare_rows(lambda block: logit_of(${written}, inputs, outputs))`,
    ],
  };
}
