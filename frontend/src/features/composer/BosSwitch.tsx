import type { Mode } from "@/features/chat/chatState";
import type { Settings } from "@/features/settings/settings";
import type { ModelInfo } from "@/types/schemas";
import { Switch } from "@/ui/Switch";
import { bosWarning, usualBos } from "./bos";

interface BosSwitchProps {
  readonly model: ModelInfo;
  readonly mode: Mode;
  readonly settings: Settings;
  readonly update: (change: Partial<Settings>) => void;
}

/** Whether a new conversation begins with the beginning-of-sequence token, and what that is worth. */
export function BosSwitch({ model, mode, settings, update }: BosSwitchProps) {
  if (model.bos_token_id === null) return null;
  const usual = usualBos(model, mode);
  const warning = bosWarning(model, mode, settings);
  return (
    <>
      <Switch
        label="the beginning-of-sequence token"
        checked={settings.bos ?? usual}
        onChange={(bos) => update({ bos: bos === usual ? null : bos })}
      />
      {warning !== null && <p className="max-w-80 rounded-control bg-warn-soft p-2">{warning}</p>}
    </>
  );
}
