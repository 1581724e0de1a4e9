import { useServer } from "@/features/server/server";
import { useLensKind, withoutHalfLayers } from "@/features/settings/lensKind";
import { useSettings } from "@/features/settings/settings";
import { ToggleButton } from "@/ui/ToggleButton";

/**
 * Whether the views show half layers, as the sign that they have in the tables where words have no room. Where there are
 * none it is shown only if they were chosen, with the reason.
 */
export function HalfLayersToggle() {
  const { model } = useServer();
  const { settings, update } = useSettings();
  const kind = useLensKind();
  const reason = model && withoutHalfLayers(model, kind);
  if (model === null || (reason !== null && !settings.halfLayers)) return null;
  return (
    <ToggleButton
      name="Half layers"
      label={
        <>
          <span className="tight:hidden">Half layers</span>
          <span className="hidden tight:inline">½</span>
        </>
      }
      title={reason ?? "Half layers: after attention, before the MLP"}
      isOn={settings.halfLayers}
      onChange={(halfLayers) => update({ halfLayers })}
    />
  );
}
