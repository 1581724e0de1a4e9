import { useServer } from "@/features/server/server";
import { useLensKind } from "@/features/settings/lensKind";
import { useSettings } from "@/features/settings/settings";
import { LENSES, lensTitle } from "@/model/lenses";
import { Button } from "@/ui/Button";
import { lazyPart } from "@/ui/lazyPart";
import { Select } from "@/ui/Select";
import { Suspense } from "react";

const FitLens = lazyPart(() => import("@/features/lensFit/FitLens"));

const asItIs = (layers: readonly number[]): string =>
  `It has no map for layer ${layers.join(", ")}, which is read as the logit lens reads it.`;

/**
 * Which lens the views read through, and the way to fit one; nothing to choose where the model has only one. Where the one that
 * was chosen, or that an address names, is not there, it says so.
 */
export function LensSelect() {
  const { model } = useServer();
  const { settings, update } = useSettings();
  const kind = useLensKind();
  const offered = LENSES.filter((lens) => model?.lenses.some((each) => each.kind === lens.kind));
  if (model !== null && settings.lens !== kind) {
    const missing = lensTitle(settings.lens);
    return (
      <Button
        look="quiet"
        className="min-w-0 px-2"
        title={`${model.model_name} has no ${missing} lens, so the logit lens is shown. Press to keep to it.`}
        onClick={() => update({ lens: "logit" })}
      >
        <span className="truncate text-warn">no {missing} lens: logit</span>
      </Button>
    );
  }
  return (
    <>
      {offered.length > 1 && (
        <Select
          label="Lens"
          // The value says enough.
          className="tight:[&>span:first-child]:hidden"
          value={kind}
          options={offered.map(({ kind: value, title, hint }) => {
            const lens = model?.lenses.find((each) => each.kind === value);
            return {
              value,
              label:
                lens?.origin === "published"
                  ? `${title} (origin not verifiable)`
                  : lens?.beats_controls === false
                    ? `${title} (unproven)`
                    : title,
              hint: lens?.unfitted_layers.length ? `${hint} ${asItIs(lens.unfitted_layers)}` : hint,
            };
          })}
          onChange={(lens) => update({ lens })}
        />
      )}
      <Suspense>
        <FitLens />
      </Suspense>
    </>
  );
}
