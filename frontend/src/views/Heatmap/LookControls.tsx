import type { ReactNode } from "react";
import { STRIDES } from "@/charts/heatmap/geometry";
import { TableToggle } from "@/charts/heatmap/TableToggle";
import { Button } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import { Select } from "@/ui/Select";
import { Switch } from "@/ui/Switch";
import { type HeatmapLook, RAMP_NAMES, SIGNED_RAMP_NAMES } from "./choices";
import type { Metric } from "./metrics";

interface LookControlsProps {
  readonly look: HeatmapLook;
  readonly metric: Metric;
  readonly fitsRows: boolean;
  readonly onChange: (change: Partial<HeatmapLook>) => void;
  /** What else is chosen here, where there is no room for it beside the grid. */
  readonly children?: ReactNode;
}

/** Ramp and rows of the grid, and its table. */
export function LookControls({ look, metric, fitsRows, onChange, children }: LookControlsProps) {
  return (
    <div className="ml-auto flex items-center gap-1.5">
      <Popover label="Display options" trigger={<Button icon="sliders">Display options</Button>}>
        <div className="flex flex-col gap-3">
          {children}
          {metric.isSigned ? (
            <Select
              label="ramp"
              value={look.signedRamp}
              options={SIGNED_RAMP_NAMES.map((name) => ({ value: name, label: name }))}
              onChange={(signedRamp) => onChange({ signedRamp })}
            />
          ) : (
            <Select
              label="ramp"
              value={look.ramp}
              options={RAMP_NAMES.map((name) => ({ value: name, label: name }))}
              onChange={(ramp) => onChange({ ramp })}
            />
          )}
          <Select
            label="layers"
            value={look.stride}
            options={STRIDES.map((stride) => ({
              value: stride,
              label: stride === 1 ? "every layer" : `every ${stride === 2 ? "second" : "fourth"} layer`,
            }))}
            onChange={(stride) => onChange({ stride })}
          />
          <Switch
            label="Fit the rows to the window"
            checked={fitsRows}
            onChange={(isOn) => onChange({ fit: isOn ? "on" : "off" })}
          />
          <p className="text-label text-muted">Layer 0 (embedding) and the output are always shown.</p>
        </div>
      </Popover>
      <TableToggle isShown={look.hasTable} onChange={(hasTable) => onChange({ hasTable })} />
    </div>
  );
}
