import type { Mode } from "@/features/chat/chatState";
import type { Settings } from "@/features/settings/settings";
import { formatNats } from "@/model/format";
import type { ModelInfo } from "@/types/schemas";

/** What the server does about that token when nothing is asked for. */
export function usualBos(model: ModelInfo, mode: Mode): boolean {
  return mode === "chat" ? model.chat_template.starts_with_bos : model.adds_bos;
}

/** A sentence with what was measured, where the model needs that token and will not be given it. */
export function bosWarning(model: ModelInfo, mode: Mode, settings: Settings): string | null {
  const check = model.bos_check;
  if (!check?.is_needed || (settings.bos ?? usualBos(model, mode))) return null;
  return (
    `This model predicts far better after that token, which its tokenizer does not add: ` +
    `mean surprisal ${formatNats(check.with_nats)} nats with it, ${formatNats(check.without_nats)} without ` +
    `(${check.n_tokens} tokens, measured when the model was loaded).`
  );
}
