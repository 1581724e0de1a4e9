/** The lens that the views read through. */
import { useServer } from "@/features/server/server";
import { type LensKind, lensInUse } from "@/model/lenses";
import { useSettings } from "./settings";

export function useLensKind(): LensKind {
  const { settings } = useSettings();
  const { model } = useServer();
  return model === null ? "logit" : lensInUse(settings.lens, model.lenses);
}
