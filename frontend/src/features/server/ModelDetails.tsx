import { LENSES, lensTitle } from "@/model/lenses";
import { formatCount, formatNats } from "@/model/format";
import type { ModelInfo } from "@/types/schemas";

const SOURCES: Record<ModelInfo["source"], string> = {
  hub: "Hugging Face",
  local: "local folder",
  embedded: "embedded, bundled with this program",
};

/** The lenses that the model has, and how it gets the others. */
function lensesOf({ lenses }: ModelInfo): string {
  const titles = lenses.map(({ kind }) => lensTitle(kind));
  const missing = LENSES.flatMap(({ kind, title }) =>
    lenses.some((each) => each.kind === kind) ? [] : [title],
  );
  return missing.length === 0
    ? titles.join(", ")
    : `${titles.join(", ")}; not fitted to this model: ${missing.join(", ")} (docs/usage.md, Lenses)`;
}

/** What is known of the running model. */
export default function ModelDetails({ model }: { readonly model: ModelInfo }) {
  const facts: readonly (readonly [string, string])[] = [
    ["Source", SOURCES[model.source]],
    ["Architecture", model.architecture],
    ["Layers", `${model.num_layers} blocks, read at ${model.num_layers + 1} places`],
    ["Heads", model.num_heads === null ? "none" : `${model.num_heads}`],
    ["Hidden size", formatCount(model.hidden_size)],
    ["Vocabulary", `${formatCount(model.vocab_size)} tokens`],
    ["Context", `${formatCount(model.context_length)} tokens`],
    ["Parameters", formatCount(model.num_parameters)],
    ["Runs on", `${model.device}, ${model.dtype}`],
    ["Lenses", lensesOf(model)],
    ["Embedding", model.tied_embeddings ? "tied to the unembedding" : "separate from the unembedding"],
    ...(model.text_losses.length === 0 ? [] : [["Text", model.text_losses.join(" ")] as const]),
    ...(model.revision === null ? [] : [["Revision", model.revision] as const]),
  ];
  return (
    <>
      <h2 className="mb-2 text-title font-semibold break-words">{model.model_name}</h2>
      {model.bos_check?.is_needed && (
        <p className="mb-3 rounded-control bg-warn-soft p-2">
          Without the beginning-of-sequence token, which its tokenizer does not add, this model predicts badly
          (mean surprisal {formatNats(model.bos_check.without_nats)} nats, with it{" "}
          {formatNats(model.bos_check.with_nats)}). It is a switch in the sampling settings.
        </p>
      )}
      {model.note !== null && <p className="mb-3 rounded-control bg-warn-soft p-2">{model.note}</p>}
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
