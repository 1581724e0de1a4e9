import { Button, IconButton } from "@/ui/Button";
import { usePrefersReducedMotion } from "@/ui/media";
import type { Play } from "./usePlay";

interface LayerControlsProps {
  readonly layer: number;
  readonly last: number;
  readonly step: number;
  readonly play: Play;
  readonly onChange: (layer: number) => void;
}

/** One layer down, one up, and all of them in turn. Who wants no motion steps by hand. */
export function LayerControls({ layer, last, step, play, onChange }: LayerControlsProps) {
  const isStill = usePrefersReducedMotion();
  return (
    <div role="group" aria-label="Step through the layers" className="flex shrink-0 items-center">
      <IconButton
        icon="left"
        label="Layer below"
        disabled={layer === 0}
        onClick={() => onChange(layer - step)}
      />
      {!isStill && (
        <Button
          icon={play.isPlaying ? "pause" : "play"}
          className="w-[5.25rem]"
          title={play.isPlaying ? "Stay at this layer" : "Step through the layers up to the output"}
          onClick={play.isPlaying ? play.stop : play.start}
        >
          {play.isPlaying ? "Pause" : "Play"}
        </Button>
      )}
      <IconButton
        icon="right"
        label="Layer above"
        disabled={layer === last}
        onClick={() => onChange(layer + step)}
      />
    </div>
  );
}
