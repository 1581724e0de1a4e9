/**
 * The numbers of a view as a Python program that computes them again: nnsight, transformers and torch,
 * none of this project's code. It holds the exact token ids and the numbers that were on the screen,
 * and fails where one of them does not come out.
 */
import { type Exhibit, FigureTooLarge, type Provenance, notesOfExhibit } from "./exhibit";
import { placeOf, placeWords } from "./notes";
import { asFloat32 } from "./table";

/** More rows than this make a script that no editor likes to open. */
const MAX_ROWS = 60_000;

type Language = "script" | "notebook";

interface Section {
  readonly kind: "text" | "code";
  readonly lines: readonly string[];
}

/** A text that may stand in a comment or a docstring: one line, nothing that ends it. */
const comment = (text: string): string => text.replace(/[\\"\r\n]/g, "’");

/** A Python string literal; surrogate pairs stay characters, as they are in JSON. */
const literal = (text: string): string => JSON.stringify(text);

export function pythonScript(exhibit: Exhibit, from: Provenance, name: string): string {
  const [intro, ...rest] = sections(exhibit, from, name, "script");
  const docstring = ['"""', ...(intro?.lines ?? []), '"""'].join("\n");
  const parts = rest.map((each) => each.lines.join("\n"));
  // Functions have two blank lines around them, everything else one.
  const isFunction = parts.map((part) => part.includes("\ndef ") || part.startsWith("def "));
  const spaced = parts.map((part, i) =>
    isFunction[i] || isFunction[i - 1] ? `\n\n\n${part}` : `\n\n${part}`,
  );
  return `${docstring}${spaced.join("")}\n`;
}

/** The same in cells (nbformat 4.5). */
export function pythonNotebook(exhibit: Exhibit, from: Provenance, name: string): string {
  const cells = sections(exhibit, from, name, "notebook").map(({ kind, lines }, i) => {
    const source = lines.map((line, at) => (at < lines.length - 1 ? `${line}\n` : line));
    return kind === "text"
      ? { cell_type: "markdown", id: `cell-${i}`, metadata: {}, source }
      : { cell_type: "code", id: `cell-${i}`, metadata: {}, execution_count: null, outputs: [], source };
  });
  const kernelspec = { display_name: "Python 3", language: "python", name: "python3" };
  const notebook = { cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

function sections(exhibit: Exhibit, from: Provenance, name: string, language: Language): Section[] {
  const { probabilities, predictions } = exhibit;
  if (probabilities.length + predictions.length > MAX_ROWS) {
    throw new FigureTooLarge(
      `${probabilities.length + predictions.length} rows are too many for a script. Take the JSON, which has the token ids and every number.`,
    );
  }
  const { model, lens } = from;
  const isFitted = lens !== "logit";
  const code = (...lines: readonly string[]): Section => ({ kind: "code", lines });
  // What is predicted at the last position may be known too; nothing after it has any influence.
  const end = Math.max(...[...probabilities, ...predictions].map((row) => row.position)) + 1;
  const ids = from.tokens.slice(0, end).map((token) => token.id);
  return [
    {
      kind: "text",
      lines: [
        `${comment(exhibit.title)}.`,
        "",
        `The numbers of the ${from.view.title} view of Mechanistic Explorer (${comment(model.model_name)}, ${lens} lens),`,
        "computed again with nnsight 0.8 and compared.",
        "",
        ...(language === "notebook" ? ["```sh"] : []),
        `    pip install "nnsight==0.8.*" "transformers>=5" torch`.slice(language === "notebook" ? 4 : 0),
        ...(language === "notebook"
          ? ["```"]
          : [`    python ${name}.py [MODEL${isFitted ? " [LENS_FILE]" : ""}]`]),
      ],
    },
    code(
      ...(language === "script" ? ["import sys", ""] : []),
      "import nnsight",
      "import torch",
      ...(isFitted ? ["from safetensors.torch import load_file"] : []),
      "from transformers import AutoModelForCausalLM, AutoTokenizer",
      "",
      ...settingLines(from, language),
    ),
    code(
      "# The exact ids that the model was fed, up to the last position read.",
      `TOKEN_IDS = ${wrapped(ids.map(String))}`,
    ),
    ...noteSections(exhibit, from),
    code(...loadLines(from)),
    code(...CAPTURE),
    code(...lensLines(from)),
    code(...DECODE),
    code(
      "# What the page showed: position read at, layer, token ids (of several, the sum), probability, rank.",
      `PROBABILITIES = ${rows(
        probabilities.map((row) => [
          String(row.position),
          String(row.layer),
          `[${row.tokenIds.join(", ")}]`,
          pythonNumber(row.probability),
          row.rank === null ? "None" : String(row.rank),
        ]),
      )}`,
      ...(predictions.length === 0
        ? []
        : [
            "# Position, layer, entropy of the prediction, its KL(final || layer); both in nats.",
            `PREDICTIONS = ${rows(
              predictions.map((row) => [
                String(row.position),
                String(row.layer),
                pythonNumber(row.entropyNats),
                pythonNumber(row.klToFinalNats),
              ]),
            )}`,
          ]),
    ),
    code(...compareLines(predictions.length > 0)),
  ];
}

/** Each line of a note is a comment of its own, whatever Python takes for the end of a line. */
function noteSections(exhibit: Exhibit, from: Provenance): Section[] {
  const notes = notesOfExhibit(exhibit, from);
  if (notes.length === 0) return [];
  const lines = notes.flatMap((note) => [
    `# - on ${comment(placeWords(placeOf(note), from.tokens))}:`,
    // eslint-disable-next-line no-control-regex -- the line and page breaks are what is looked for
    ...note.text.split(/[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+/).map((line) => `#   ${line}`),
  ]);
  return [{ kind: "code", lines: ["# Notes that a person wrote on these places.", ...lines] }];
}

function settingLines({ model, lens }: Provenance, language: Language): string[] {
  const isEmbedded = model.source === "embedded";
  const where = isEmbedded ? "backend/embedded_model" : model.model_name;
  const what =
    model.source === "hub"
      ? "A name on the Hugging Face hub, or a folder."
      : isEmbedded
        ? "The folder of the embedded model, in the repository of Mechanistic Explorer."
        : "The folder of the model.";
  const argument = (number: number, otherwise: string): string =>
    language === "script" ? `sys.argv[${number}] if len(sys.argv) > ${number} else ${otherwise}` : otherwise;
  const lensFile = isEmbedded
    ? `f"{MODEL}/lenses/${lens}.safetensors"`
    : literal(`lenses/${lens}.safetensors`);
  return [
    `# ${what}`,
    `MODEL = ${argument(1, literal(where))}`,
    ...(lens === "logit"
      ? []
      : [`# The ${lens} lens that was fitted to it.`, `LENS_FILE = ${argument(2, lensFile)}`]),
    "TOLERANCE = 1e-4",
  ];
}

function loadLines({ model }: Provenance): string[] {
  const device = model.device.startsWith("cuda") ? "cuda" : model.device === "mps" ? "mps" : "cpu";
  // A hub model's revision is a commit of its repository; a folder has none to ask for.
  const hasRevision = model.source === "hub" && model.revision !== null;
  const revision = hasRevision ? `, revision=REVISION` : "";
  return [
    "torch.set_grad_enabled(False)",
    ...(hasRevision ? [`REVISION = ${literal(model.revision ?? "")}`] : []),
    `tokenizer = AutoTokenizer.from_pretrained(MODEL${revision})`,
    `hf_model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.${model.dtype}${revision})`,
    `hf_model = hf_model.to("${device}").eval()`,
    'model = nnsight.TransformersModel(hf_model, tokenizer=tokenizer, task="text-generation")',
    "",
    "# The blocks are the outermost list of modules with one entry for each layer.",
    "n_layers = hf_model.config.get_text_config(decoder=True).num_hidden_layers",
    "lists = [name for name, module in hf_model.named_modules()",
    "         if isinstance(module, torch.nn.ModuleList) and len(module) == n_layers]",
    'blocks = model.get(min(lists, key=lambda name: name.count(".")))',
  ];
}

const CAPTURE = [
  "# One pass. Layer 0 is the residual stream after the embedding, layer n that after block n.",
  "ids = torch.tensor([TOKEN_IDS], device=hf_model.device)",
  "with model.trace(input_ids=ids, use_cache=False):",
  "    streams = nnsight.save([blocks[0].input[0].clone()])",
  "    for block in blocks:",
  "        output = block.output",
  "        is_tuple = nnsight.save(isinstance(output, tuple))",
  "        streams.append((output[0] if is_tuple else output)[0].clone())",
] as const;

function lensLines({ lens }: Provenance): string[] {
  switch (lens) {
    case "logit":
      return [
        "def lens(row, layer):",
        '    """The logit lens (nostalgebraist 2020) leaves a residual stream as it is."""',
        "    return row",
      ];
    case "tuned":
      return [
        "fitted = load_file(LENS_FILE)",
        "",
        "",
        "def lens(row, layer):",
        '    """The tuned lens (Belrose et al. 2023, arXiv:2303.08112) is an affine map for each layer."""',
        "    if layer == n_layers:",
        "        return row",
        '    weight, bias = (fitted[f"{name}.{layer}"].float().to(row.device) for name in ("weight", "bias"))',
        "    return (row.float() + weight @ row.float() + bias).to(row.dtype)",
      ];
    case "jacobian":
      return [
        "fitted = load_file(LENS_FILE)",
        "",
        "",
        "def lens(row, layer):",
        '    """The Jacobian lens multiplies by the average effect of a layer on the last residual stream."""',
        "    if layer == n_layers:",
        "        return row",
        '    return (fitted[f"jacobian.{layer}"].float().to(row.device) @ row.float()).to(row.dtype)',
      ];
  }
}

const DECODE = [
  "def log_probs(position):",
  '    """Log-probabilities of the next token at every layer, [n_layers + 1, vocabulary].',
  "",
  "    With all blocks skipped, what is left of the model is its own final norm and unembedding.",
  '    """',
  "    rows = torch.stack([lens(stream[position], layer) for layer, stream in enumerate(streams)])[:, None]",
  "    no_ids = torch.zeros(len(rows), 1, dtype=torch.long, device=rows.device)",
  "    with model.trace(input_ids=no_ids, use_cache=False):",
  "        for block in blocks:",
  "            block.skip((rows,) if is_tuple else rows)",
  "        logits = nnsight.save(model.output.logits)",
  "    return logits[:, 0].float().log_softmax(-1)",
] as const;

const compareLines = (hasPredictions: boolean): string[] => [
  "n_compared = n_different = 0",
  "",
  "",
  "def compare(position, layer, what, shown, computed, is_same):",
  "    global n_compared, n_different",
  "    n_compared += 1",
  "    n_different += not is_same",
  "    print(f\"{position:7d} {layer:5d}  {what:30.30} {shown:14.6g} {computed:14.6g}{'' if is_same else '  DIFFERENT'}\")",
  "",
  "",
  "def is_near(shown, computed):",
  "    return abs(shown - computed) <= TOLERANCE * max(1, abs(shown))",
  "",
  "",
  "print(f\"{'read at':>7} {'layer':>5}  {'number':30} {'on the page':>14} {'computed':>14}\")",
  `for position in sorted({row[0] for row in PROBABILITIES${hasPredictions ? " + PREDICTIONS" : ""}}):`,
  "    log_p = log_probs(position)",
  ...(hasPredictions
    ? [
        "    entropy = -(log_p.exp() * log_p).sum(-1)",
        "    kl = (log_p[-1].exp() * (log_p[-1] - log_p)).sum(-1)",
        "    for at, layer, shown_entropy, shown_kl in PREDICTIONS:",
        "        if at == position:",
        "            for what, shown, computed in [",
        '                ("entropy, nats", shown_entropy, entropy[layer].item()),',
        '                ("KL to final, nats", shown_kl, kl[layer].item()),',
        "            ]:",
        "                compare(position, layer, what, shown, computed, is_near(shown, computed))",
      ]
    : []),
  "    for at, layer, tokens, shown, shown_rank in PROBABILITIES:",
  "        if at != position:",
  "            continue",
  "        own = log_p[layer, tokens]",
  '        name = " + ".join(repr(tokenizer.decode([token])) for token in tokens)',
  "        probability = own.exp().sum().item()",
  '        compare(position, layer, f"probability of {name}", shown, probability, is_near(shown, probability))',
  "        if shown_rank is not None:",
  "            # Tokens whose logits are nearly the same may change places.",
  "            rank = 1 + (log_p[layer] > own).sum().item()",
  "            first = 1 + (log_p[layer] > own + TOLERANCE).sum().item()",
  "            last = (log_p[layer] > own - TOLERANCE).sum().item()",
  '            compare(position, layer, f"rank of {name}", shown_rank, rank, first <= shown_rank <= last)',
  "",
  "if n_different:",
  '    raise SystemExit(f"{n_different} of {n_compared} numbers differ by more than {TOLERANCE}.")',
  'print(f"All {n_compared} numbers are those of the page, to {TOLERANCE}.")',
];

function pythonNumber(value: number): string {
  return Number.isFinite(value) ? String(asFloat32(value)) : 'float("nan")';
}

const MAX_LINE = 100;

/** A list of short items over as many lines as it takes. */
function wrapped(items: readonly string[]): string {
  const lines: string[] = [];
  let line = "   ";
  for (const item of items) {
    if (line.length + item.length + 2 > MAX_LINE) {
      lines.push(line);
      line = "   ";
    }
    line += ` ${item},`;
  }
  return `[\n${[...lines, line].join("\n")}\n]`;
}

const rows = (all: readonly (readonly string[])[]): string =>
  `[\n${all.map((row) => `    (${row.join(", ")}),\n`).join("")}]`;
