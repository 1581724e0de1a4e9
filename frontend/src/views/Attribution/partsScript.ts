/** Python that takes the logits apart again: one pass with hooks, then products with the unembedding's rows. */
import { FROZEN } from "@/features/export/frozenScript";
import { type ViewScript, code, pythonNumber, tupleList, wrappedList } from "@/features/export/scriptSection";
import type { AttributionResponse } from "@/types/schemas";
import type { PartRow } from "./parts";

interface ScriptParts {
  readonly answer: AttributionResponse;
  /** Every row that is known, without those that add up others. */
  readonly rows: readonly PartRow[];
  /** Ids up to the position that is read. */
  readonly ids: readonly number[];
}

export function partsScript({ answer, rows, ids }: ScriptParts): ViewScript {
  const { target, foil, foil_kind, softcap, target_logit, foil_logit, sum } = answer;
  const hasSources = rows.some(({ source }) => source !== null);
  const shown = shownParts(rows);
  const against = foil_kind === "none" ? "None" : foil === null ? '"mean"' : String(foil.token_id);
  return {
    imports: ["itertools"],
    lenses: [],
    nNumbers: shown.length * (foil_logit === null ? 1 : 2) + (foil_logit === null ? 2 : 3),
    inputs: [
      code(
        "# The exact ids that the model was fed, up to the position read.",
        `TOKEN_IDS = ${wrappedList(ids.map(String))}`,
        '# Ids of the target and of the foil; None without a foil, "mean" for the mean of all logits.',
        `TARGET, FOIL = ${target.token_id}, ${against}`,
        `SOFTCAP = ${softcap === null ? "None" : pythonNumber(softcap)}`,
      ),
    ],
    sections: [
      code(
        "# The page's numbers: part, block, head, source, neuron, logits added to the target and to the foil.",
        `PARTS = ${tupleList(shown)}`,
        "# Logits of target and foil, and the sum of all parts.",
        `LOGITS = (${pythonNumber(target_logit)}, ${foil_logit === null ? "None" : pythonNumber(foil_logit)})`,
        `SUM = ${pythonNumber(sum)}`,
      ),
      ...(hasSources ? [code(...RECORD_ATTENTION)] : []),
      code(...ONE_PASS),
      code(...FROZEN),
      code(...TAIL),
      code(...BLOCK_PARTS),
      code(...COMPARE_PARTS),
    ],
    run: [...(hasSources ? ["record_attention()"] : []), "compare_parts(*one_pass())"],
  };
}

/** Embedding and position are one row: models add them before the first block. */
function shownParts(rows: readonly PartRow[]): string[][] {
  const first = rows.filter(({ kind }) => kind === "embed" || kind === "position");
  const others = rows.filter(({ kind }) => kind !== "embed" && kind !== "position" && kind !== "rest");
  const total = (of: (row: PartRow) => number): number => first.reduce((sum, each) => sum + of(each), 0);
  const line = (
    kind: string,
    places: readonly (number | null)[],
    target: number,
    foil: number | null,
  ): string[] => [
    `"${kind}"`,
    ...places.map((each) => (each === null ? "None" : String(each))),
    pythonNumber(target),
    foil === null ? "None" : pythonNumber(foil),
  ];
  const hasFoil = rows[0]?.foil !== null;
  return [
    line(
      "embed",
      [null, null, null, null],
      total(({ target }) => target),
      hasFoil ? total(({ foil }) => foil ?? 0) : null,
    ),
    ...others.map(({ kind, block, head, source, neuron, target, foil }) =>
      line(kind, [block, head, source, neuron], target, foil),
    ),
  ];
}

const RECORD_ATTENTION = [
  "attention_rows = []",
  "",
  "",
  "def record_attention():",
  '    """Has every attention keep the weights of the last position and the values, in running order."""',
  "    from transformers import AttentionInterface, AttentionMaskInterface",
  "    from transformers.masking_utils import eager_mask",
  "",
  "    def attend(module, query, key, value, mask, scaling=None, softcap=None, s_aux=None, **_):",
  "        repeats = query.shape[1] // key.shape[1]",
  "        keys, values = (each.repeat_interleave(repeats, 1) for each in (key, value))",
  "        scores = query @ keys.transpose(2, 3) * (query.shape[-1] ** -0.5 if scaling is None else scaling)",
  "        if softcap is not None:",
  "            scores = softcap * torch.tanh(scores / softcap)",
  "        scores = scores + mask[:, :, :, : keys.shape[2]]",
  "        if s_aux is not None:",
  "            sink = s_aux.reshape(1, -1, 1, 1).expand(len(scores), -1, scores.shape[2], 1)",
  "            scores = torch.cat([scores, sink.to(scores.dtype)], -1)",
  "        weights = scores.float().softmax(-1)[..., : keys.shape[2]].to(query.dtype)",
  "        attention_rows.append((weights[0, :, -1].double(), values[0].double()))",
  "        return (weights @ values).transpose(1, 2).contiguous(), weights",
  "",
  '    AttentionInterface.register("recorded", attend)',
  '    AttentionMaskInterface.register("recorded", eager_mask)',
  '    hf_model.set_attn_implementation("recorded")',
] as const;

const ONE_PASS = [
  "def one_pass():",
  '    """The logits, and what each module was given and gave, by name: all at the last position."""',
  "    calls = {}",
  "",
  "    def keep(name):",
  "        def hook(module, args, kwargs, output):",
  "            given = next((each for each in (*args, *kwargs.values()) if torch.is_tensor(each)), None)",
  "            output = output[0] if isinstance(output, tuple) else output",
  "            if torch.is_tensor(given) and torch.is_tensor(output) and given.is_floating_point():",
  "                if output.dim() == 3 and given.dim() == 3:",
  "                    calls[name] = (given[0, -1].clone(), output[0, -1].clone())",
  "",
  "        return hook",
  "",
  "    handles = [",
  "        module.register_forward_hook(keep(name), with_kwargs=True) for name, module in hf_model.named_modules()",
  "    ]",
  "    ids = torch.tensor([TOKEN_IDS], device=hf_model.device)",
  "    logits = hf_model(input_ids=ids, use_cache=False).logits[0, -1].double()",
  "    for handle in handles:",
  "        handle.remove()",
  "    return logits, calls",
] as const;

const TAIL = [
  'blocks_name = min(lists, key=lambda name: name.count("."))',
  "",
  "",
  "def tail(logits, calls, stream):",
  '    """Directions on the last residual stream for target and foil, what biases add, and the logits before a softcap."""',
  "    unembedding = hf_model.get_output_embeddings()",
  "    name = next(name for name, module in hf_model.named_modules() if module is unembedding)",
  "    into, raw = calls[name]",
  "    raw = raw.double()",
  "    multiplier = 1.0 if SOFTCAP is not None else ((raw @ logits) / (raw @ raw)).item()",
  "    rows = [TARGET] if FOIL is None else [TARGET, FOIL]",
  "    weight = unembedding.weight",
  '    directions = torch.stack([weight.double().mean(0) if row == "mean" else weight[row].double() for row in rows])',
  "    bias = torch.zeros(len(rows), dtype=torch.double, device=directions.device)",
  "    if unembedding.bias is not None:",
  "        own = unembedding.bias.double()",
  '        bias = torch.stack([own.mean() if row == "mean" else own[row] for row in rows])',
  "    if not torch.equal(into, stream):",
  "        outside = [each for each in calls if not each.startswith(blocks_name)]",
  "        norms = [each for each in outside if torch.equal(calls[each][0], stream) and torch.equal(calls[each][1], into)]",
  "        if not norms:",
  '            raise SystemExit("Between the blocks and the unembedding this model has more than a norm.")',
  "        back, shift = frozen(hf_model.get_submodule(norms[0]), *calls[norms[0]])",
  "        bias, directions = bias + directions @ shift, back(directions)",
  "    before = multiplier * raw",
  '    both = torch.stack([before.mean() if row == "mean" else before[row] for row in rows])',
  "    return multiplier * directions, multiplier * bias, both",
] as const;

const BLOCK_PARTS = [
  "def through(linear, directions):",
  "    weight = linear.weight.double()  # Conv1D, which GPT-2 has, keeps it transposed",
  "    return directions @ (weight if isinstance(linear, torch.nn.Linear) else weight.T)",
  "",
  "",
  "def writes_of(number, calls, added):",
  '    """Names of the two modules whose outputs a block adds to its stream, attention first; none where it is no such sum."""',
  '    prefix = f"{blocks_name}.{number - 1}."',
  "    found = [name for name in calls if name.startswith(prefix) and calls[name][1].shape == added.shape]",
  "    for pair in itertools.combinations(found, 2):",
  "        error = (calls[pair[0]][1] + calls[pair[1]][1] - added).abs().max()",
  "        if error <= 1e-4 * added.abs().max():",
  "            return pair",
  "    return ()",
  "",
  "",
  "def block_parts(number, calls, added, directions):",
  '    """Logits that a block adds, by part: (part, head, source, neuron)."""',
  '    parts = {("block", None, None, None): directions @ added.double()}',
  "    constants = torch.zeros(len(directions), dtype=torch.double, device=directions.device)",
  '    for kind, name in zip(("attn", "mlp"), writes_of(number, calls, added)):',
  "        given, output = calls[name]",
  "        own, constant = directions, torch.zeros_like(constants)",
  "        module = hf_model.get_submodule(name)",
  '        if getattr(module, "weight", None) is not None and module.weight.dim() == 1:  # a norm after the write',
  "            back, shift = frozen(module, given, output)",
  "            own, constant = back(own), own @ shift",
  "            name = next((each for each in calls if torch.equal(calls[each][1], given)), name)",
  "            module = hf_model.get_submodule(name)",
  '        if getattr(module, "weight", None) is None or module.weight.dim() != 2:',
  "            parts[kind, None, None, None] = directions @ output.double()",
  "            continue",
  '        if getattr(module, "bias", None) is not None:',
  "            constant = constant + own @ module.bias.double()",
  "        constants = constants + constant",
  "        parts[kind, None, None, None] = directions @ output.double() - constant",
  "        inputs = through(module, own)",
  "        products = inputs * calls[name][0].double()",
  '        if kind == "mlp":',
  "            for neuron in range(products.shape[-1]):",
  '                parts["neuron", None, None, neuron] = products[:, neuron]',
  "            continue",
  "        n_heads = hf_model.config.get_text_config(decoder=True).num_attention_heads",
  "        if products.shape[-1] % n_heads:",
  "            continue",
  "        heads = products.view(len(products), n_heads, -1).sum(-1)",
  "        for head in range(n_heads):",
  '            parts["head", head, None, None] = heads[:, head]',
  '        if len(globals().get("attention_rows", [])) == n_layers:',
  "            weights, values = attention_rows[number - 1]",
  '            sources = torch.einsum("nhd,hsd->nhs", inputs.view(len(inputs), n_heads, -1), values) * weights',
  "            for source in range(sources.shape[-1]):",
  '                parts["source", None, source, None] = sources[:, :, source].sum(-1)',
  "                for head in range(n_heads):",
  '                    parts["source", head, source, None] = sources[:, head, source]',
  '    parts["bias", None, None, None] = constants',
  "    return parts",
] as const;

const COMPARE_PARTS = [
  "def compare_parts(logits, calls):",
  "    position = len(TOKEN_IDS) - 1",
  '    streams = [calls[f"{blocks_name}.0"][0]] + [calls[f"{blocks_name}.{i}"][1] for i in range(n_layers)]',
  "    directions, bias, both = tail(logits, calls, streams[-1])",
  "    computed = {",
  '        (None, "embed", None, None, None): directions @ streams[0].double(),',
  '        (None, "bias", None, None, None): bias,',
  "    }",
  "    for number in range(1, n_layers + 1):",
  "        parts = block_parts(number, calls, streams[number] - streams[number - 1], directions)",
  "        computed |= {(number, *key): value for key, value in parts.items()}",
  "    for kind, block, head, source, neuron, *shown in PARTS:",
  "        own = computed.get((block, kind, head, source, neuron))",
  "        if own is None:",
  '            print(f"Not computed again: {kind} of block {block}, which is split in a way unknown to this program.")',
  "            continue",
  '        place = "".join(f", {name} {each}" for name, each in (("head", head), ("source", source), ("neuron", neuron)) if each is not None)',
  '        for i, (side, logit) in enumerate(zip(("target", "foil"), shown)):',
  "            if logit is not None:",
  "                value = own[i].item()",
  '                compare(position, block or "", f"{side}: {kind}{place}", logit, value, is_near(logit, value, TOLERANCE))',
  "    for i, logit in enumerate(each for each in LOGITS if each is not None):",
  '        compare(position, "", ("target", "foil")[i] + ": logit", logit, both[i].item(), is_near(logit, both[i].item(), TOLERANCE))',
  "    difference = (both[0] - both[1]).item() if len(both) > 1 else both[0].item()",
  '    compare(position, "", "sum of the parts", SUM, difference, is_near(SUM, difference, TOLERANCE))',
] as const;
