import { useServer } from "@/features/server/server";
import { useLensKind } from "@/features/settings/lensKind";
import { useSettings } from "@/features/settings/settings";
import { LENSES } from "@/model/lenses";
import { Button } from "@/ui/Button";

/**
 * Which lens the views read through; nothing to choose where the model has only one. Where the one that
 * was chosen, or that an address names, is not there, it says so.
 */
export function LensSelect() {
  const { model } = useServer();
  const { settings, update } = useSettings();
  const kind = useLensKind();
  const offered = LENSES.filter((lens) => model?.lenses.some((each) => each.kind === lens.kind));
  if (model !== null && settings.lens !== kind) {
    const missing = LENSES.find((lens) => lens.kind === settings.lens)?.title ?? settings.lens;
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
  if (offered.length < 2) return null;
  return (
    <label className="flex min-w-0 items-center gap-2 text-muted">
      <span className="@max-3xl:sr-only">Lens</span>
      <select
        value={kind}
        title={LENSES.find((lens) => lens.kind === kind)?.hint}
        onChange={(event) => {
          const chosen = offered.find((lens) => lens.kind === event.target.value);
          if (chosen !== undefined) update({ lens: chosen.kind });
        }}
        className="h-8 min-w-16 rounded-control border border-line-strong bg-raised px-2 text-ink max-md:px-1"
      >
        {offered.map(({ kind: value, title }) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
