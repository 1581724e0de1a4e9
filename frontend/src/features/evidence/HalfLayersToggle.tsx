import { useServer } from "@/features/server/server";
import { useLensKind, withoutHalfLayers } from "@/features/settings/lensKind";
import { useSettings } from "@/features/settings/settings";
import { ToggleButton } from "@/ui/ToggleButton";

/** Whether the views show half layers. Where there are none it is shown only if they were chosen, with the reason. */
export function HalfLayersToggle() {
  const { model } = useServer();
  const { settings, update } = useSettings();
  const kind = useLensKind();
  const reason = model && withoutHalfLayers(model, kind);
  if (model === null || (reason !== null && !settings.halfLayers)) return null;
  return (
    <ToggleButton
      label="½"
      title={reason ?? "Half layers: after attention, before the MLP"}
      isOn={settings.halfLayers}
      onChange={(halfLayers) => update({ halfLayers })}
    />
  );
}
