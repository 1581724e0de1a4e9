import { Suspense } from "react";
import { formatParameters } from "@/base/amount";
import type { ModelInfo } from "@/types/schemas";
import { Icon } from "@/ui/Icon";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";

const ModelDetails = lazyPart(() => import("./ModelDetails"));

/** The running model in one line; its button tells the rest. */
export function ModelFacts({ model }: { readonly model: ModelInfo }) {
  return (
    <Popover
      label="Model"
      trigger={
        <button
          data-part="model"
          type="button"
          className="flex h-control min-w-0 items-center gap-1.5 rounded-control px-2 hover:bg-hover"
        >
          <span className="sr-only">Model: </span>
          <span className="truncate font-medium">{model.model_name.split("/").at(-1)}</span>
          <span className="hidden whitespace-nowrap text-muted @min-[76rem]:inline">
            · {model.num_layers} layers · {formatParameters(model.num_parameters)} · {model.device}
          </span>
          <Icon name="down" className="text-quiet" />
        </button>
      }
    >
      <Suspense fallback={<p className="text-muted">Opening…</p>}>
        <ModelDetails model={model} />
      </Suspense>
    </Popover>
  );
}
