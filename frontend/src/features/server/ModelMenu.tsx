import { useId, useState } from "react";
import { formatBytes } from "@/base/amount";
import type { Health, ModelChoice, ModelInfo } from "@/types/schemas";
import { useAttempts } from "@/ui/attempt";
import { Button } from "@/ui/Button";
import { FailedNotice } from "@/ui/FailedNotice";
import ModelDetails from "./ModelDetails";
import { ModelRow } from "./ModelRow";
import { isChanging } from "./server";
import { matching, useModelChange, useModels } from "./models";

interface ModelMenuProps {
  /** The model that runs; null while there is none. */
  readonly model: ModelInfo | null;
  readonly health: Health | null;
}

/** What is known of the running model, and the models that can be loaded in its place. */
export default function ModelMenu({ model, health }: ModelMenuProps) {
  const { data: list, isError, refetch } = useModels();
  const change = useModelChange();
  const { failed, attempt, dismiss } = useAttempts();
  const [text, setText] = useState("");
  const [last, setLast] = useState<ModelChoice | null>(null);
  const id = useId();
  const isBusy = health?.status === "loading" || isChanging(health);
  const typed = text.trim();
  const found = matching(list?.models ?? [], typed);
  const load = (choice: ModelChoice): void => {
    setLast(choice);
    attempt("The model was not changed.", async () => {
      await change(choice);
      setText("");
    });
  };
  return (
    <>
      {model !== null && <ModelDetails model={model} />}
      <section
        aria-labelledby={`${id}-title`}
        className={model === null ? undefined : "mt-4 border-t border-line pt-3"}
      >
        <h2 id={`${id}-title`} className="mb-2 text-title font-semibold">
          Load another model
        </h2>
        {failed !== null && (
          <div className="mb-2 space-y-2">
            <FailedNotice {...failed} onDismiss={dismiss} />
            {failed.error.code === "model_too_large" &&
              last !== null &&
              model !== null &&
              !last.unload_first && (
                <Button onClick={() => load({ ...last, unload_first: true })}>
                  Unload {model.model_name} first
                </Button>
              )}
          </div>
        )}
        {list === undefined ? (
          isError ? (
            <p className="text-muted">
              The list of models could not be read.{" "}
              <Button look="quiet" onClick={() => void refetch()}>
                Retry
              </Button>
            </p>
          ) : (
            <p className="text-muted">Looking for models…</p>
          )
        ) : (
          <>
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (typed !== "" && list.takes_paths && !isBusy) load({ model: typed });
              }}
            >
              <label htmlFor={`${id}-text`} className="sr-only">
                Search, or name a model
              </label>
              <div className="flex gap-1">
                <input
                  id={`${id}-text`}
                  value={text}
                  maxLength={512}
                  spellCheck={false}
                  autoComplete="off"
                  placeholder={list.takes_paths ? "Search, or a model id or path" : "Search"}
                  onChange={(event) => setText(event.target.value)}
                  className="h-control min-w-0 flex-1 rounded-control border border-line-strong bg-surface px-2"
                />
                {list.takes_paths && typed !== "" && found.length === 0 && (
                  <Button type="submit" look="primary" disabled={isBusy}>
                    Load
                  </Button>
                )}
              </div>
            </form>
            {found.length === 0 && (
              <p className="mt-2 text-label text-muted">
                {list.takes_paths
                  ? "None of the list. Load takes it as a model id of the Hugging Face hub, or as the path of a folder or a GGUF file."
                  : "None of the list."}
              </p>
            )}
            <ul aria-label="Models" className="mt-2">
              {found.map((each) => (
                <ModelRow
                  key={each.key}
                  model={each}
                  isRunning={model !== null && each.key === list.running}
                  isBusy={isBusy}
                  onLoad={() =>
                    load({ model: each.key, ...(each.fits === "alone" ? { unload_first: true } : {}) })
                  }
                />
              ))}
            </ul>
            {list.free_bytes !== null && (
              <p className="mt-2 text-label text-muted">
                {formatBytes(list.free_bytes)} of memory are free. A conversation keeps the model that it was
                held with.
              </p>
            )}
          </>
        )}
      </section>
    </>
  );
}
