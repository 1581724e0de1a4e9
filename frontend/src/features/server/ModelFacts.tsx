import { Suspense } from "react";
import { formatParameters } from "@/base/amount";
import { Icon } from "@/ui/Icon";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";

import type { ServerState } from "./server";

const ModelMenu = lazyPart(() => import("./ModelMenu"));

/** The running model in one line; its button tells the rest, and loads another one. */
export function ModelFacts({ model, health }: Pick<ServerState, "model" | "health">) {
  const name = model?.model_name ?? health?.model;
  if (name === undefined) return null;
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
          <span className={`truncate ${model === null ? "text-muted" : "font-medium"}`}>
            {name.split("/").at(-1)}
          </span>
          {model !== null && (
            <span className="hidden whitespace-nowrap text-muted @min-[76rem]:inline">
              · {model.num_layers} layers · {formatParameters(model.num_parameters)} · {model.device}
            </span>
          )}
          <Icon name="down" className="text-quiet" />
        </button>
      }
    >
      <Suspense fallback={<p className="text-muted">Opening…</p>}>
        <ModelMenu model={model} health={health} />
      </Suspense>
    </Popover>
  );
}
