/** The lens that the views read through, and whether they show half layers. */
import { useMemo } from "react";
import { useServer } from "@/features/server/server";
import { type LensInUse, type LensKind, lensInUse } from "@/model/lenses";
import type { ModelInfo } from "@/types/schemas";
import { useSettings } from "./settings";

export function useLensKind(): LensKind {
  const { settings } = useSettings();
  const { model } = useServer();
  return model === null ? "logit" : lensInUse(settings.lens, model.lenses);
}

export function useLensInUse(): LensInUse {
  const { settings } = useSettings();
  const { model } = useServer();
  const kind = useLensKind();
  const hasHalf = settings.halfLayers && model !== null && withoutHalfLayers(model, kind) === null;
  return useMemo(() => ({ kind, hasHalf }), [kind, hasHalf]);
}

/** Why there are no half layers, in a sentence; null where there are. */
export function withoutHalfLayers({ capabilities }: ModelInfo, kind: LensKind): string | null {
  const { available, reason } = capabilities.half_layers;
  if (!available) return reason ?? "";
  return kind === "logit" ? null : "Half layers are read with the logit lens.";
}
