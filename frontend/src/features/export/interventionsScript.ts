/** Python that makes interventions again, by plain hooks on the Hugging Face model. */
import type { ModelInfo } from "@/types/schemas";
import type { ExactDirection, ExactIntervention, ExactOperation } from "./exactInterventions";
import { FROZEN } from "./frozenScript";
import { type ScriptSection, code, comment, literal, pythonNumber, wrappedList } from "./scriptSection";

/** What a run is computed under. */
export interface ScriptInterventions {
  /** In words, one for each. */
  readonly words: readonly string[];
  readonly interventions: readonly ExactIntervention[];
}

/** With the name that they have in the program. */
interface NamedInterventions extends ScriptInterventions {
  readonly name: string;
}

const directionsOf = (op: ExactOperation): readonly ExactDirection[] =>
  op.kind === "exchange" ? op.directions : "direction" in op ? [op.direction] : [];

const hasDirection = (all: readonly ExactIntervention[], kinds: readonly ExactDirection["kind"][]): boolean =>
  all.some(({ op }) => directionsOf(op).some(({ kind }) => kinds.includes(kind)));

/** Whether the file of the Jacobian lens is needed. */
export const usesJacobian = (all: readonly ExactIntervention[]): boolean => hasDirection(all, ["lens"]);

/** The interventions themselves: no model is needed for them. */
export const interventionInputs = (named: NamedInterventions): ScriptSection =>
  code(
    "# What was done to the model: where, at which tokens (from 0), and what; in the order in which it acts.",
    `${named.name} = [`,
    ...named.interventions.flatMap((each, i) => interventionLines(each, named.words[i] ?? "")),
    "]",
  );

/** `intervening(INTERVENTIONS, n_tokens)`, within which the model runs under them. */
export function interventionSections(
  all: readonly ExactIntervention[],
  { site_modules }: Pick<ModelInfo, "site_modules">,
  hasHalf: boolean,
): ScriptSection[] {
  const sites = (["attn", "mlp", "head"] as const).filter((site) =>
    all.some((each) => each.site === site && each.op.kind !== "knock_out"),
  );
  const hasVectors = hasDirection(all, ["token", "lens"]);
  const hasEdges = all.some(({ op }) => op.kind === "knock_out");
  return [
    code(
      ...(sites.length === 0
        ? []
        : [
            "# Of each block the module at which a site is changed, as named inside the block.",
            "SITE_MODULES = {",
            ...sites.map((site) => `    "${site}": ${indented(site_modules[site].map(textOrNone), 4)},`),
            "}",
          ]),
      'block_modules = hf_model.get_submodule(min(lists, key=lambda name: name.count(".")))',
      "config = hf_model.config.get_text_config(decoder=True)",
    ),
    code(...hookedLines(sites.length > 0, hasHalf)),
    code(...VALUES),
    ...(hasVectors ? [code(...FROZEN), code(...TOKEN_DIRECTION)] : []),
    ...(hasDirection(all, ["token", "lens", "random", "contrast"]) ? [code(...DIRECTION)] : []),
    code(...OPERATION),
    ...(hasEdges ? [code(...EDGES)] : []),
    code(...intervening(hasEdges)),
  ];
}

const textOrNone = (text: string | null): string => (text === null ? "None" : literal(text));

/** A list that may be wrapped, inside lines of that indent. */
const indented = (items: readonly string[], indent: number): string => {
  const plain = `[${items.join(", ")}]`;
  return plain.length + indent <= 80 ? plain : wrappedList(items).replaceAll("\n", `\n${" ".repeat(indent)}`);
};

function interventionLines(
  { site, layers, heads, positions, op }: ExactIntervention,
  words: string,
): string[] {
  const numbers = (values: readonly number[]): string => indented(values.map(String), 8);
  const fields: (readonly [string, string])[] = [
    ["site", literal(site)],
    ["layers", numbers(layers)],
    ...(heads === null ? [] : [["heads", numbers(heads)] as const]),
    ["positions", numbers(positions)],
    ["op", literal(op.kind)],
    ...operationFields(op, numbers),
  ];
  return [
    ...(words === "" ? [] : [`    # ${comment(words)}`]),
    "    {",
    ...fields.map(([key, value]) => `        "${key}": ${value},`),
    "    },",
  ];
}

function operationFields(
  op: ExactOperation,
  numbers: (values: readonly number[]) => string,
): (readonly [string, string])[] {
  switch (op.kind) {
    case "zero":
      return [];
    case "mean":
    case "replace":
      return [
        ["ids", numbers(op.ids)],
        ["from", numbers(op.from)],
      ];
    case "add":
      return [
        ["directions", `[${directionLiteral(op.direction)}]`],
        ["strength", pythonNumber(op.strength)],
      ];
    case "project_out":
      return [["directions", `[${directionLiteral(op.direction)}]`]];
    case "exchange":
      return [["directions", `[${op.directions.map(directionLiteral).join(", ")}]`]];
    case "knock_out":
      return [["sources", numbers(op.sources)]];
  }
}

function directionLiteral(direction: ExactDirection): string {
  const texts = (all: readonly (readonly number[])[]): string =>
    `[${all.map((ids) => `[${ids.join(", ")}]`).join(", ")}]`;
  switch (direction.kind) {
    case "token":
      return `{"token": ${direction.tokenId}, "text": ${literal(direction.text)}}`;
    case "lens":
      return `{"token": ${direction.tokenId}, "text": ${literal(direction.text)}, "lens": "jacobian"}`;
    case "random":
      return `{"seed": ${direction.seed}}`;
    case "contrast":
      return `{"plus": ${texts(direction.plus)}, "minus": ${texts(direction.minus)}}`;
  }
}

const hookedLines = (hasParts: boolean, hasHalf: boolean): string[] => [
  "def hooked(site, layer, change):",
  '    """Has `change` take the rows of a site, [positions, width] in float32, to others.',
  "",
  "    Layer 0 is what the first block is given, layer n what block n gives. Heads lie side by side in",
  "    what the last linear map of the attention is given.",
  '    """',
  '    is_given = site in ("head", "middle") or (site, layer) == ("resid", 0)',
  "    module = block_modules[max(layer, 1) - 1]",
  ...(hasParts
    ? ["    if site in SITE_MODULES:", "        module = module.get_submodule(SITE_MODULES[site][layer - 1])"]
    : []),
  ...(hasHalf
    ? ['    if site == "middle":', "        module = module.get_submodule(MIDDLES[layer - 1])"]
    : []),
  "",
  "    def changed(values):",
  "        rows = change(values.reshape(-1, values.shape[-1]).float())",
  "        return rows.to(values.dtype).reshape(values.shape)",
  "",
  "    def before(_, args, kwargs):",
  "        if args:",
  "            return (changed(args[0]), *args[1:]), kwargs",
  "        name, given = next(iter(kwargs.items()))",
  "        return args, {**kwargs, name: changed(given)}",
  "",
  "    def after(_, args, output):",
  "        return (changed(output[0]), *output[1:]) if isinstance(output, tuple) else changed(output)",
  "",
  "    if is_given:",
  "        return module.register_forward_pre_hook(before, with_kwargs=True)",
  "    return module.register_forward_hook(after)",
];

const VALUES = [
  "def values(site, layer, token_ids, positions):",
  '    """What a site has in the plain run of a text, [positions, width]."""',
  "    found = []",
  "",
  "    def keep(rows):",
  "        found.append(rows[positions].clone())",
  "        return rows",
  "",
  "    hook = hooked(site, layer, keep)",
  "    hf_model(input_ids=torch.tensor([token_ids], device=hf_model.device), use_cache=False)",
  "    hook.remove()",
  "    return found[0]",
] as const;

const TOKEN_DIRECTION = [
  "def token_direction(token):",
  '    """The direction that raises the logit of a token: its row of the unembedding through the gain of the final norm."""',
  "    calls = {}",
  "",
  "    def keep(module, args, kwargs, output):",
  "        given = next((each for each in (*args, *kwargs.values()) if torch.is_tensor(each)), None)",
  "        output = output[0] if isinstance(output, tuple) else output",
  "        if torch.is_tensor(given) and torch.is_tensor(output):",
  "            calls[module] = given.reshape(-1, given.shape[-1])[-1], output.reshape(-1, output.shape[-1])[-1]",
  "",
  "    hooks = [module.register_forward_hook(keep, with_kwargs=True) for module in hf_model.modules()]",
  "    hf_model(input_ids=torch.tensor([[token]], device=hf_model.device), use_cache=False)",
  "    for hook in hooks:",
  "        hook.remove()",
  "    unembedding, stream = hf_model.get_output_embeddings(), calls[block_modules[-1]][1]",
  "    row, given = unembedding.weight[token].double(), calls[unembedding][0]",
  "    if torch.equal(given, stream):",
  "        return row.float()",
  "    for module, (own, output) in calls.items():",
  "        if own.shape == stream.shape and torch.equal(own, stream) and torch.equal(output, given):",
  "            return frozen(module, own, output)[0](row).float()",
  '    raise SystemExit("Between the blocks and the unembedding this model has more than a norm.")',
] as const;

const DIRECTION = [
  "def direction(named, site, layer):",
  '    """A vector of length 1: of a token, of what some texts have more than others, or drawn at random."""',
  '    if "seed" in named:',
  '        vector = torch.randn(config.hidden_size, generator=torch.Generator().manual_seed(named["seed"]))',
  "        vector = vector.to(hf_model.device)",
  '    elif "plus" in named:',
  "        # The mean over texts of what the site has at their last token (Rimsky et al. 2023, arXiv:2312.06681).",
  "        plus, minus = (",
  "            torch.stack([values(site, layer, ids, [-1])[0] for ids in named[side]]).mean(0)",
  '            for side in ("plus", "minus")',
  "        )",
  "        vector = plus - minus",
  "    else:",
  '        vector = token_direction(named["token"])',
  '        if "lens" in named and layer < n_layers:',
  '            vector = jacobian[f"jacobian.{layer}"].float().to(vector.device).T @ vector',
  "    return vector / vector.norm()",
] as const;

const OPERATION = [
  "def operation(one, layer, n_tokens):",
  '    """What takes the rows that an intervention touches at a layer to others."""',
  '    site, op = one["site"], one["op"]',
  '    if op == "zero":',
  "        return torch.zeros_like",
  '    if op in ("mean", "replace"):',
  '        rows_of_text = values(site, layer, one["ids"], one["from"])',
  '        if op == "mean":',
  "            return lambda rows: rows_of_text.mean(0).expand_as(rows)",
  '        read = [i for i, position in enumerate(one["positions"]) if position < n_tokens]',
  "        return lambda rows: rows_of_text[read]",
  '    first, *second = (direction(named, site, layer) for named in one["directions"])',
  '    if op == "add":',
  '        return lambda rows: rows + one["strength"] * rows.norm(dim=-1, keepdim=True) * first',
  '    if op == "project_out":',
  "        return lambda rows: rows - (rows @ first)[:, None] * first",
  "    # Exchanging the coordinates along two vectors of length 1 is a reflection.",
  "    axis = (first - second[0]) / (first - second[0]).norm()",
  "    return lambda rows: rows - 2 * (rows @ axis)[:, None] * axis",
] as const;

const EDGES = [
  "removed = []",
  "",
  "",
  "def record_removal():",
  '    """Has every attention leave the edges in `removed` out before its softmax (Geva et al. 2023, arXiv:2304.14767)."""',
  "    import sys",
  "",
  "    from transformers import AttentionInterface, AttentionMaskInterface",
  "    from transformers.masking_utils import eager_mask",
  "",
  "    number_of = {module: number for number, block in enumerate(block_modules, 1) for module in block.modules()}",
  "",
  "    def attend(module, query, key, value, mask, *args, **kwargs):",
  "        if removed:",
  "            mask = mask.expand(-1, query.shape[1], -1, -1).clone()",
  "        for one in removed:",
  '            if number_of[module] in one["layers"]:',
  '                heads = torch.tensor(one.get("heads", range(query.shape[1])))[:, None, None]',
  '                rows = torch.tensor([each for each in one["positions"] if each < query.shape[2]])[:, None]',
  '                sources = torch.tensor([each for each in one["sources"] if each < key.shape[2]])',
  '                mask[0, heads, rows, sources] = float("-inf")',
  "        own = sys.modules[type(module).__module__].eager_attention_forward",
  "        return own(module, query, key, value, mask, *args, **kwargs)",
  "",
  '    AttentionInterface.register("without_edges", attend)',
  '    AttentionMaskInterface.register("without_edges", eager_mask)',
  '    hf_model.set_attn_implementation("without_edges")',
] as const;

const intervening = (hasEdges: boolean): string[] => [
  "@contextlib.contextmanager",
  "def intervening(interventions, n_tokens):",
  '    """The model under these interventions, for passes over so many tokens."""',
  "    # All that plain runs are needed for comes before the first hook.",
  "    ready = [",
  "        (one, layer, operation(one, layer, n_tokens))",
  "        for one in interventions",
  ...(hasEdges ? ['        if one["op"] != "knock_out"'] : []),
  '        for layer in one["layers"]',
  "    ]",
  "",
  "    def touching(one, change):",
  '        touched = [position for position in one["positions"] if position < n_tokens]',
  "",
  "        def on_rows(rows):",
  "            if not touched:",
  "                return rows",
  "            rows, changed = rows.clone(), change(rows[touched])",
  '            if "heads" in one:',
  "                by_head = rows[touched].view(len(touched), config.num_attention_heads, -1)",
  '                by_head[:, one["heads"]] = changed.view(by_head.shape)[:, one["heads"]]',
  "                changed = by_head.view(changed.shape)",
  "            rows[touched] = changed",
  "            return rows",
  "",
  "        return on_rows",
  "",
  '    hooks = [hooked(one["site"], layer, touching(one, change)) for one, layer, change in ready]',
  ...(hasEdges ? ['    removed.extend(one for one in interventions if one["op"] == "knock_out")'] : []),
  "    try:",
  "        yield",
  "    finally:",
  "        for hook in hooks:",
  "            hook.remove()",
  ...(hasEdges ? ["        removed.clear()"] : []),
];

/** In the place of `captureLines`: nnsight reads what a module returns before hooks have changed it. */
export const captureUnderLines = (hasHalf: boolean): string[] => [
  "def capture(token_ids, interventions=()):",
  '    """Residual streams under interventions, [position, width] each, and whether a block gives back a tuple.',
  "",
  "    One pass. Layer 0 is the stream after the embedding, layer n that after block n.",
  ...(hasHalf ? ["    Layer n - 0.5 is the stream inside block n, after attention and before the MLP."] : []),
  '    """',
  "    streams, is_tuple = {}, []",
  "",
  "    def keeping(layer):",
  "        def keep(rows):",
  "            streams[layer] = rows.to(hf_model.dtype, copy=True)",
  "            return rows",
  "",
  "        return keep",
  "",
  "    with intervening(interventions, len(token_ids)):",
  "        # Registered last, so they see what the interventions have changed.",
  '        hooks = [hooked("resid", layer, keeping(layer)) for layer in range(n_layers + 1)]',
  ...(hasHalf
    ? ['        hooks += [hooked("middle", n, keeping(n - 0.5)) for n in range(1, n_layers + 1)]']
    : []),
  "        hooks.append(block_modules[0].register_forward_hook(lambda _, args, output: is_tuple.append(type(output) is tuple)))",
  "        hf_model(input_ids=torch.tensor([token_ids], device=hf_model.device), use_cache=False)",
  "        for hook in hooks:",
  "            hook.remove()",
  "    return [streams[layer] for layer in sorted(streams)], is_tuple[0]",
];

/** Calls that come before the first run. */
export const interventionCalls = (all: readonly ExactIntervention[]): string[] =>
  all.some(({ op }) => op.kind === "knock_out") ? ["record_removal()"] : [];
