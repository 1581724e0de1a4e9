import { useServer } from "@/features/server/server";
import { useLensKind, withoutHalfLayers } from "@/features/settings/lensKind";
import { useSettings } from "@/features/settings/settings";
import { ToggleButton } from "@/ui/ToggleButton";

interface HalfLayersToggleProps {
  /** Where there is room; else it has the sign that half layers have in the tables. */
  readonly hasWords?: boolean;
}

/** Whether the views show half layers. Where there are none it is shown only if they were chosen, with the reason. */
export function HalfLayersToggle({ hasWords = false }: HalfLayersToggleProps) {
  const { model } = useServer();
  const { settings, update } = useSettings();
  const kind = useLensKind();
  const reason = model && withoutHalfLayers(model, kind);
  if (model === null || (reason !== null && !settings.halfLayers)) return null;
  return (
    <ToggleButton
      name="Half layers"
      label={
        hasWords ? (
          "Half layers"
        ) : (
          <>
            <span className="@max-[48rem]:hidden">Half layers</span>
            <span className="@min-[48rem]:hidden">½</span>
          </>
        )
      }
      title={reason ?? "Half layers: after attention, before the MLP"}
      isOn={settings.halfLayers}
      onChange={(halfLayers) => update({ halfLayers })}
    />
  );
}
