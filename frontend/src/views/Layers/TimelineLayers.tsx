import { useCallback, useMemo, useState } from "react";
import { Finding } from "@/features/evidence/Finding";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { ReadingProgress } from "@/features/evidence/ReadingProgress";
import { useSelection } from "@/features/selection/selection";
import { useLensInUse } from "@/features/settings/lensKind";
import { useSettings } from "@/features/settings/settings";
import { layerLabel, layerStep } from "@/model/layers";
import { lensTitle } from "@/model/lenses";
import type { Timeline } from "@/model/timeline";
import { LensColumns } from "@/reading/columns";
import { useTimelineLens } from "@/reading/lens";
import type { ModelInfo } from "@/types/schemas";
import { usePrefersReducedMotion } from "@/ui/media";
import { ChoiceControls } from "./ChoiceControls";
import { useLayersChoices } from "./choices";
import { layersCommands } from "./commands";
import { LayerControls } from "./LayerControls";
import { LayerScrubber } from "./LayerScrubber";
import { LayerText } from "./LayerText";
import { agreementOf, countWords, layerSentence, layerWord } from "./layerWords";
import { passagesOf } from "./passages";
import { usePlay } from "./usePlay";
import { WordCard } from "./WordCard";
import { WordForms } from "./wordForms";
import { WordLegend } from "./WordLegend";

interface TimelineLayersProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

/** Before the first reply began there is nothing read. */
const NOTHING_READ = new LensColumns();

export function TimelineLayers({ timeline, model }: TimelineLayersProps) {
  const { tokens } = timeline;
  const { index, layer: selectedLayer, select } = useSelection();
  const { settings } = useSettings();
  const [choices, changeChoices] = useLayersChoices();
  const isStill = usePrefersReducedMotion();
  const lensInUse = useLensInUse();
  const { kind, hasHalf } = lensInUse;
  const lens = useTimelineLens(timeline, lensInUse);
  const columns = lens.columns ?? NOTHING_READ;
  const { version } = lens;
  const [pointed, setPointed] = useState<number | null>(null);

  const last = model.num_layers;
  const step = layerStep(hasHalf);
  // A half layer that is not shown gives way to the one after it.
  const layer = Math.min(last, step * Math.ceil((selectedLayer ?? last) / step));
  const onChangeLayer = useCallback((next: number) => select(index, next), [select, index]);
  const onSelect = useCallback((next: number) => select(next, layer), [select, layer]);
  const play = usePlay(layer, last, step, onChangeLayer);

  const forms = useMemo(() => new WordForms(tokens), [tokens]);
  const { scope } = choices;
  const { showTemplate } = settings;
  const { passages, indices } = useMemo(() => {
    const made = passagesOf(timeline, scope, showTemplate, forms);
    return { passages: made, indices: made.flatMap(({ lines }) => lines.flat()) };
  }, [timeline, scope, showTemplate, forms]);
  const { agreement } = useMemo(
    () => ({
      agreement: columns.layers.length === 0 ? null : agreementOf(columns, tokens, indices),
      version,
    }),
    [columns, version, tokens, indices],
  );
  const { words, counts } = useMemo(() => {
    const made = indices.map((each) => layerWord(columns, tokens, each, layer));
    return { words: made, counts: countWords(made), version };
  }, [columns, version, tokens, indices, layer]);

  const exports = {
    viewExport:
      counts.nRead === 0
        ? "The conversation is not read yet."
        : async () => {
            const { layersExport } = await import("./viewExport");
            return layersExport({ tokens, columns, passages, words, agreement, layer, last, forms, choices });
          },
    commands: layersCommands({
      layer,
      last,
      step,
      play,
      choices,
      isStill,
      onChangeLayer,
      onChangeChoices: changeChoices,
    }),
  };

  const shown = pointed ?? index;
  const lensName = lensTitle(kind);
  return (
    <div className="flex min-h-0 flex-1 flex-col bg-raised max-md:overflow-y-auto">
      <ReadingFrame
        reading={lens}
        what="The words"
        hasData
        exports={exports}
        title={
          <Finding>
            {layerSentence(counts, layer, last, step)}
            {kind !== "logit" && ` Read through the ${lensName} lens.`}
          </Finding>
        }
        controls={
          <>
            <div className="shrink-0 bg-raised px-3 pt-1.5 max-md:sticky max-md:top-0 max-md:z-10 short:static">
              <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1.5 pb-1.5">
                <LayerControls layer={layer} last={last} step={step} play={play} onChange={onChangeLayer} />
                <ChoiceControls choices={choices} onChange={changeChoices} />
              </div>
              <LayerScrubber
                layer={layer}
                last={last}
                step={step}
                agreement={agreement}
                onChange={onChangeLayer}
              />
            </div>
            <div className="shrink-0 border-line px-3 pb-1.5 max-md:order-1 max-md:border-t max-md:pt-1 md:border-b">
              <WordLegend choices={choices} counts={counts} canChange={layer > 0} />
            </div>
          </>
        }
        progress={
          <div className="shrink-0 max-md:order-1">
            <ReadingProgress reading={lens} unit={["position", "positions"]} hatched="words" />
          </div>
        }
        detail={
          <WordCard
            tokens={tokens}
            index={shown}
            layer={layer}
            cell={shown === null || shown === 0 ? null : columns.cell(shown - 1, layer)}
          />
        }
      >
        <div className="min-h-0 flex-1 overflow-y-auto px-3 py-2 max-md:flex-none max-md:overflow-visible">
          {indices.length === 0 ? (
            <p className="text-muted">
              The model has generated nothing here yet. “All” shows your text in the words of each layer.
            </p>
          ) : (
            <LayerText
              label={`The text at layer ${layerLabel(layer)}`}
              modelName={model.model_name}
              passages={passages}
              words={words}
              indices={indices}
              tokens={tokens}
              columns={columns}
              forms={forms}
              choices={choices}
              selectedIndex={index}
              isIncomplete={lens.read < lens.total}
              onSelect={onSelect}
              onPoint={setPointed}
              onVisible={lens.setVisible}
            />
          )}
          <p className="pt-3 text-label text-muted">
            No layer wrote this: each word is predicted after the real tokens before it, not after the words
            shown here. Lines end where the real text’s do.
          </p>
        </div>
      </ReadingFrame>
    </div>
  );
}
