/** Python that loads the model of an export. */
import { type LensKind } from "@/model/lenses";
import { lensFileName } from "./lensScript";
import { literal } from "./scriptSection";
import type { ExportSource } from "./viewExport";

export type Language = "script" | "notebook";

export function settingLines(
  { model }: ExportSource,
  fitted: readonly LensKind[],
  language: Language,
): string[] {
  const isEmbedded = model.source === "embedded";
  const where = isEmbedded ? "backend/embedded_model" : model.model_name;
  const comment =
    model.source === "hub"
      ? "A name on the Hugging Face hub, or a folder."
      : isEmbedded
        ? "The folder of the embedded model, in the repository of Mechanistic Explorer."
        : "The folder of the model.";
  const argument = (number: number, otherwise: string): string =>
    language === "script" ? `sys.argv[${number}] if len(sys.argv) > ${number} else ${otherwise}` : otherwise;
  const lensFile = (lens: LensKind): string =>
    isEmbedded ? `f"{MODEL}/lenses/${lens}.safetensors"` : literal(`lenses/${lens}.safetensors`);
  return [
    `# ${comment}`,
    `MODEL = ${argument(1, literal(where))}`,
    ...fitted.flatMap((lens, i) => [
      `# The ${lens} lens fitted to it.`,
      `${lensFileName(lens)} = ${argument(2 + i, lensFile(lens))}`,
    ]),
    "TOLERANCE = 1e-4",
  ];
}

export function loadLines({ model }: ExportSource): string[] {
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
