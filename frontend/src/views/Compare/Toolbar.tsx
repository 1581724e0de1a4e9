import { TableToggle } from "@/charts/heatmap/TableToggle";
import { WidthControls } from "@/charts/heatmap/WidthControls";
import { everyLayer, layerLabel, shownLayer } from "@/model/layers";
import { LENSES, type LensKind } from "@/model/lenses";
import { Button } from "@/ui/Button";
import { useIsNarrow } from "@/ui/media";
import { Popover } from "@/ui/Popover";
import { Select } from "@/ui/Select";
import { type CompareState, ROWS, type Rows } from "./choices";
import { DIFFERENCES, type Difference } from "./differences";

interface ToolbarProps {
  readonly state: CompareState;
  readonly difference: Difference;
  readonly rows: Rows;
  readonly nLayers: number;
  readonly hasHalf: boolean;
  readonly lensA: LensKind;
  readonly lensB: LensKind;
  /** What the model can be read through. */
  readonly lenses: readonly LensKind[];
  /** Null is the lens of A. */
  readonly onChangeLens: (lensB: LensKind | null) => void;
}

const ROW_LABELS: Readonly<Record<Rows, string>> = {
  each: "same layer",
  fixed: "every layer of A vs one of B",
  one: "one layer each",
};

/** By which measure, at which layers and through which lens the two are compared. On a narrow screen the grid has the room. */
export function Toolbar(props: ToolbarProps) {
  const { choices, change, cellWidth, zoom } = props.state;
  const isNarrow = useIsNarrow();
  return (
    <div className="contents">
      {!isNarrow && <Measures {...props} />}
      <WidthControls cellWidth={cellWidth} onChange={zoom} />
      {isNarrow && (
        <Popover
          label="Difference, layers and lens"
          trigger={<Button icon="sliders">Display options</Button>}
        >
          <div className="flex flex-col gap-3">
            <Measures {...props} />
          </div>
        </Popover>
      )}
      <TableToggle isShown={choices.hasTable} onChange={(hasTable) => change({ hasTable })} />
    </div>
  );
}

function Measures({
  state,
  difference,
  rows,
  nLayers,
  hasHalf,
  lensA,
  lensB,
  lenses,
  onChangeLens,
}: ToolbarProps) {
  const { choices, change } = state;
  const every = everyLayer(nLayers, hasHalf);
  const layers = every
    .map((layer) => ({
      value: layer,
      label: layer === nLayers ? `${layer} (output)` : layerLabel(layer),
    }))
    .toReversed();
  return (
    <>
      <Select
        label="difference"
        value={difference.id}
        options={DIFFERENCES.map(({ id, title, explanation }) => ({
          value: id,
          label: title,
          hint: explanation,
        }))}
        onChange={(id) => change({ difference: id })}
        className="max-md:w-full"
      />
      <Select
        label="layers"
        value={rows}
        options={ROWS.map((value) => ({ value, label: ROW_LABELS[value] }))}
        onChange={(chosen) => change({ rows: chosen })}
        className="max-md:w-full"
      />
      {rows === "one" && (
        <Select
          label="layer of A"
          value={shownLayer(every, choices.layerA)}
          options={layers}
          onChange={(layerA) => change({ layerA })}
          className="max-md:w-full"
        />
      )}
      {rows !== "each" && (
        <Select
          label="layer of B"
          value={shownLayer(every, choices.layerB)}
          options={layers}
          onChange={(layerB) => change({ layerB })}
          className="max-md:w-full"
        />
      )}
      {lenses.length > 1 && (
        <Select
          label="lens of B"
          value={lensB}
          options={LENSES.filter(({ kind }) => lenses.includes(kind)).map(({ kind, title, hint }) => ({
            hint,
            value: kind,
            label: kind === lensA ? `${title}, as A` : title,
          }))}
          onChange={(kind) => onChangeLens(kind === lensA ? null : kind)}
          className="max-md:w-full"
        />
      )}
    </>
  );
}
