import { Suspense } from "react";
import type { Mode } from "@/features/chat/chatState";
import { type Settings, useSettings } from "@/features/settings/settings";
import type { ModelInfo } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";
import { bosWarning } from "./bos";

const SamplingForm = lazyPart(() => import("./SamplingForm"));

interface SamplingControlsProps {
  readonly model: ModelInfo | null;
  readonly mode: Mode;
  /** The button has no words, for want of room. */
  readonly isSlim: boolean;
  /** Whether the next message begins a conversation, so that its opening can still be chosen. */
  readonly isNew: boolean;
  /** Seed of the newest reply. */
  readonly lastSeed: number | null;
}

/** How the reply is sampled, in one line; its button opens the controls. */
export function SamplingControls({ model, mode, isSlim, isNew, lastSeed }: SamplingControlsProps) {
  const { settings } = useSettings();
  const lacksBos = isNew && model !== null && bosWarning(model, mode, settings) !== null;
  const summary = `${summaryOf(settings)}${lacksBos ? " · without BOS" : ""}`;
  return (
    <Popover
      label="Sampling"
      trigger={
        <Button icon="sliders" className="min-w-0 border-line font-normal">
          <span className="sr-only">Sampling: </span>
          <span className={isSlim ? "sr-only" : "truncate"}>{summary}</span>
        </Button>
      }
    >
      <ErrorBoundary>
        <Suspense fallback={<p className="text-muted">Opening…</p>}>
          <SamplingForm model={model} mode={mode} isNew={isNew} lastSeed={lastSeed} />
        </Suspense>
      </ErrorBoundary>
    </Popover>
  );
}

function summaryOf({ temperature, topP, topK, maxNewTokens, pinnedSeed }: Settings): string {
  const parts = [temperature === 0 ? "greedy" : `T ${temperature}`];
  if (temperature > 0 && topP < 1) parts.push(`top-p ${topP}`);
  if (temperature > 0 && topK > 0) parts.push(`top-k ${topK}`);
  parts.push(`max ${maxNewTokens}`);
  if (pinnedSeed !== null) parts.push(`seed ${pinnedSeed}`);
  return parts.join(" · ");
}
