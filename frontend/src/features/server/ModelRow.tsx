import { formatBytes, formatParameters } from "@/base/amount";
import { formatCount } from "@/model/format";
import type { ListedModel } from "@/types/schemas";
import { Button } from "@/ui/Button";

interface ModelRowProps {
  readonly model: ListedModel;
  readonly isRunning: boolean;
  /** Another model is being loaded. */
  readonly isBusy: boolean;
  readonly onLoad: () => void;
}

/** One model that can be chosen: what its files tell of it, and the button that loads it. */
export function ModelRow({ model, isRunning, isBusy, onLoad }: ModelRowProps) {
  const isRefused = model.problem !== null || model.fits === "no";
  return (
    <li className="flex items-start gap-2 border-t border-line py-1.5">
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">{model.name}</p>
        <p className="text-label text-muted">{factsOf(model).join(" · ")}</p>
        {model.problem !== null && <p className="text-label break-words text-danger">{model.problem}</p>}
      </div>
      {isRunning ? (
        <span className="flex h-control shrink-0 items-center text-label text-good">runs</span>
      ) : (
        <Button
          size="small"
          className="shrink-0"
          disabled={isBusy || isRefused}
          aria-label={`Load ${model.name}`}
          onClick={onLoad}
        >
          Load
        </Button>
      )}
    </li>
  );
}

const FITS: Record<NonNullable<ListedModel["fits"]>, string> = {
  yes: "fits",
  alone: "fits only once the running one is unloaded",
  no: "too large for this machine",
};

function factsOf(model: ListedModel): readonly string[] {
  const { num_parameters, context_length, memory_bytes, fits } = model;
  return [
    ...(model.problem === null ? [model.has_chat_template ? "chat" : "no chat template"] : []),
    ...(num_parameters === null ? [] : [`${formatParameters(num_parameters)} parameters`]),
    ...(context_length === null ? [] : [`context ${formatCount(context_length)}`]),
    `${formatBytes(model.disk_bytes)} on disk`,
    ...(memory_bytes === null
      ? []
      : [`${formatBytes(memory_bytes)} of memory${fits === null ? "" : ` (${FITS[fits]})`}`]),
  ];
}
