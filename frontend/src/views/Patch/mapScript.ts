/** Python that computes the cells of a map again: one pass for each, with a hook that replaces a state. */
import { type ViewScript, code, pythonNumber, tupleList, wrappedList } from "@/features/export/scriptSection";
import type { JobInfo } from "@/types/schemas";

const PATCHED = [
  'hf_blocks = hf_model.get_submodule(min(lists, key=lambda name: name.count(".")))',
  "",
  "",
  "def streams(ids):",
  '    """The residual stream of every layer, [tokens, width] each, and the metric of the plain run."""',
  "    found = []",
  "",
  "    def before(module, args, kwargs):",
  '        found.append((args[0] if args else kwargs["hidden_states"])[0].clone())',
  "",
  "    def after(module, args, output):",
  "        found.append((output[0] if isinstance(output, tuple) else output)[0].clone())",
  "",
  "    hooks = [hf_blocks[0].register_forward_pre_hook(before, with_kwargs=True)]",
  "    hooks += [block.register_forward_hook(after) for block in hf_blocks]",
  "    value = metric(ids)",
  "    for hook in hooks:",
  "        hook.remove()",
  "    return found, value",
  "",
  "",
  "def metric(ids):",
  '    """Logit of the answer less that of the foil, after the last token."""',
  "    text = torch.tensor([ids], device=hf_model.device)",
  "    logits = hf_model(input_ids=text, use_cache=False).logits[0, -1].double()",
  "    return (logits[ANSWER] - logits[FOIL]).item()",
  "",
  "",
  "def patched(ids, layer, position, state):",
  '    """The metric with the stream of a layer replaced at one position."""',
  "    def changed(stream):",
  "        stream = stream.clone()",
  "        stream[0, position] = state",
  "        return stream",
  "",
  "    def before(module, args, kwargs):",
  "        if args:",
  "            return (changed(args[0]), *args[1:]), kwargs",
  '        return args, {**kwargs, "hidden_states": changed(kwargs["hidden_states"])}',
  "",
  "    def after(module, args, output):",
  "        return (changed(output[0]), *output[1:]) if isinstance(output, tuple) else changed(output)",
  "",
  "    if layer == 0:",
  "        hook = hf_blocks[0].register_forward_pre_hook(before, with_kwargs=True)",
  "    else:",
  "        hook = hf_blocks[layer - 1].register_forward_hook(after)",
  "    value = metric(ids)",
  "    hook.remove()",
  "    return value",
] as const;

const COMPARE = [
  "def compare_map():",
  '    runs = {name: streams(ids) for name, ids in (("A", CLEAN_IDS), ("B", CORRUPT_IDS))}',
  "    for name, shown in ENDS:",
  '        compare(name, "-", "logit difference", shown, runs[name][1], is_near(shown, runs[name][1], ROUNDING))',
  "    for layer, a, b, shown in CELLS:",
  "        if IS_DENOISE:",
  '            found = patched(CORRUPT_IDS, layer, b, runs["A"][0][layer][a])',
  "        else:",
  '            found = patched(CLEAN_IDS, layer, a, runs["B"][0][layer][b])',
  '        compare(f"A{a} B{b}", layer, "logit difference, patched", shown, found, is_near(shown, found, ROUNDING))',
] as const;

export function mapScript({ assumed, result }: JobInfo): ViewScript {
  const { answer, foil, clean, corrupt, layers, positions, cells } = result;
  const known = layers.flatMap((layer, row) =>
    positions.flatMap(([a = 0, b = 0], pair) => {
      const value = cells[row]?.[pair] ?? null;
      return value === null ? [] : [[String(layer), String(a), String(b), pythonNumber(value)]];
    }),
  );
  return {
    imports: [],
    lenses: [],
    nNumbers: known.length + 2,
    inputs: [
      code(
        "# The exact ids of A (clean) and B (corrupt), each up to where it is read.",
        `CLEAN_IDS = ${wrappedList(assumed.clean.tokens.map(({ id }) => String(id)))}`,
        `CORRUPT_IDS = ${wrappedList(assumed.corrupt.tokens.map(({ id }) => String(id)))}`,
        `ANSWER, FOIL = ${answer?.token_id ?? 0}, ${foil?.token_id ?? 0}`,
        "# Denoise puts states of A into B, noise states of B into A.",
        `IS_DENOISE = ${assumed.direction === "denoise" ? "True" : "False"}`,
      ),
    ],
    sections: [
      code(
        "# In half precision a pass rounds differently.",
        "ROUNDING = TOLERANCE if hf_model.dtype == torch.float32 else 0.2",
        "# The page's logit differences of both runs, and of each patched one: layer, position in A, in B.",
        `ENDS = [("A", ${pythonNumber(clean ?? 0)}), ("B", ${pythonNumber(corrupt ?? 0)})]`,
        `CELLS = ${tupleList(known)}`,
      ),
      code(...PATCHED),
      code(...COMPARE),
    ],
    run: ["compare_map()"],
  };
}
