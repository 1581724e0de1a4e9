/** The lens that the views read through. */
import { type LensKind, lensInUse } from "@/lib/lenses";
import { useServer } from "./server";
import { useSettings } from "./settings";

export function useLensKind(): LensKind {
  const { settings } = useSettings();
  const { model } = useServer();
  return model === null ? "logit" : lensInUse(settings.lens, model.lenses);
}
