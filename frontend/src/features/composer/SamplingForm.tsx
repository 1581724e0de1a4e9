import type { Mode } from "@/features/chat/chatState";
import { LIMITS, type Settings, useSettings } from "@/features/settings/settings";
import type { ModelInfo } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { NumberField } from "@/ui/Field";
import { BosSwitch } from "./BosSwitch";

interface SamplingFormProps {
  readonly model: ModelInfo | null;
  readonly mode: Mode;
  /** Whether the next message begins a conversation, so that its opening can still be chosen. */
  readonly isNew: boolean;
  /** Seed of the newest reply. */
  readonly lastSeed: number | null;
}

/** Every setting of how a reply is sampled. */
export default function SamplingForm({ model, mode, isNew, lastSeed }: SamplingFormProps) {
  const { settings, update } = useSettings();
  return (
    <div className="space-y-3">
      <NumberField
        label="Temperature"
        value={settings.temperature}
        {...LIMITS.temperature}
        step={0.1}
        hint={
          settings.temperature === 0 ? "0 = greedy decoding" : "0 = greedy decoding; higher = more random"
        }
        onChange={(temperature) => update({ temperature })}
      />
      <NumberField
        label="Top-p"
        value={settings.topP}
        {...LIMITS.topP}
        step={0.05}
        hint="Nucleus sampling: smallest set of tokens whose probabilities sum to p; 1 = off"
        onChange={(topP) => update({ topP })}
      />
      <NumberField
        label="Top-k"
        value={settings.topK}
        {...LIMITS.topK}
        step={1}
        isWhole
        hint="Sample among the k most probable tokens; 0 = off"
        onChange={(topK) => update({ topK })}
      />
      <NumberField
        label="Max new tokens"
        value={settings.maxNewTokens}
        {...LIMITS.maxNewTokens}
        step={16}
        isWhole
        hint="Tokens"
        onChange={(maxNewTokens) => update({ maxNewTokens })}
      />
      <SeedField settings={settings} update={update} lastSeed={lastSeed} />
      {model?.bos_token_id !== null && model !== null && (
        <fieldset className="space-y-2 border-t border-line pt-3">
          <legend className="sr-only">New conversation</legend>
          <p className="font-medium">
            {isNew ? "This conversation starts with" : "The next new conversation starts with"}
          </p>
          <BosSwitch model={model} mode={mode} settings={settings} update={update} />
        </fieldset>
      )}
    </div>
  );
}

interface PartProps {
  readonly settings: Settings;
  readonly update: (change: Partial<Settings>) => void;
}

function SeedField({ settings, update, lastSeed }: PartProps & { readonly lastSeed: number | null }) {
  const { pinnedSeed } = settings;
  if (pinnedSeed === null) {
    return (
      <div className="space-y-1">
        <div className="flex items-center justify-between gap-3">
          <span>Seed</span>
          <span className="text-muted">a new one each time</span>
        </div>
        <Button className="w-full" icon="pin" onClick={() => update({ pinnedSeed: lastSeed ?? drawSeed() })}>
          {lastSeed === null ? "Pin a seed" : `Pin the last one, ${lastSeed}`}
        </Button>
      </div>
    );
  }
  return (
    <div className="space-y-1">
      <NumberField
        label="Seed"
        value={pinnedSeed}
        {...LIMITS.seed}
        step={1}
        isWhole
        hint="Pinned: the same text and settings give the same reply"
        onChange={(seed) => update({ pinnedSeed: seed })}
      />
      <div className="flex gap-2">
        <Button className="flex-1" icon="redo" onClick={() => update({ pinnedSeed: drawSeed() })}>
          New seed
        </Button>
        <Button className="flex-1" onClick={() => update({ pinnedSeed: null })}>
          Unpin
        </Button>
      </div>
    </div>
  );
}

/** Short enough to be read out and typed again. */
function drawSeed(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 1_000_000;
}
