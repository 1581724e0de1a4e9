import { IconButton } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import { Segmented } from "@/ui/Segmented";
import { TYPE_SIZES, setTypeSize, useTypeSize } from "./typeSize";

/** Chooses larger type, for a projector or tired eyes. */
export function TypeSizeMenu() {
  const size = useTypeSize();
  return (
    <Popover
      label="Type size"
      align="end"
      trigger={<IconButton icon="type" label="Type size" className="max-md:hidden" />}
    >
      <div className="flex items-center justify-between gap-3">
        <span>Type size</span>
        <Segmented
          label="Type size"
          value={size}
          options={TYPE_SIZES.map((value) => ({ value, label: `${value} %` }))}
          onChange={setTypeSize}
        />
      </div>
      <p className="mt-2 text-label text-muted">Larger type is for projectors. This browser remembers it.</p>
    </Popover>
  );
}
