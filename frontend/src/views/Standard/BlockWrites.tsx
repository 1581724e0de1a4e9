import clsx from "clsx";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { useServer } from "@/features/server/server";
import { formatSigned } from "@/model/format";
import { isHalf } from "@/model/layers";
import type { Timeline } from "@/model/timeline";
import { byteListOfText, cellPartsOfText } from "@/model/tokens";
import { useWrites } from "@/reading/writes";
import type { WritesResponse } from "@/types/schemas";
import { TokenText } from "@/ui/TokenText";

interface BlockWritesProps {
  readonly timeline: Timeline;
  readonly position: number;
  /** A layer after a block, or a half layer inside one. */
  readonly layer: number;
}

/** The tokens that the attention and the MLP before this layer promoted and suppressed. */
export function BlockWrites({ timeline, position, layer }: BlockWritesProps) {
  const block = Math.ceil(layer);
  const { model } = useServer();
  const sublayers = model?.capabilities.sublayers;
  if (sublayers === undefined) return null;
  return (
    <section aria-label={`What block ${block} wrote`} className="py-1 text-label">
      {sublayers.available ? (
        <Effects timeline={timeline} position={position} layer={layer} />
      ) : (
        <p className="text-muted">
          This model’s blocks are not split into attention and MLP:{" "}
          {sublayers.reason ?? "the parts do not add up"}
        </p>
      )}
    </section>
  );
}

function Effects({ timeline, position, layer }: BlockWritesProps) {
  const block = Math.ceil(layer);
  const reading = useWrites(timeline, position, block);
  const { data } = reading;
  // Before a half layer stands what mixes positions, after it the MLP.
  const writes = data?.writes.filter(({ part }) => !isHalf(layer) || part !== "mlp") ?? [];
  return (
    <ReadingFrame reading={reading} what="What this block wrote" hasData={data !== null}>
      {data === null ? (
        <p role="status" className="min-h-40 text-muted">
          Reading…
        </p>
      ) : (
        <>
          <p className="text-muted">
            What {isHalf(layer) ? `the attention of block ${block}` : `block ${block}`} added directly to each
            token’s logit, less the mean over the vocabulary
            {data.softcap !== null && `; before the cap of ${data.softcap}`}.
          </p>
          <div className="grid grid-cols-2 gap-x-4 @min-[34rem]:grid-cols-4">
            {writes.map((write) => (
              <WriteLists key={write.part} write={write} />
            ))}
          </div>
        </>
      )}
    </ReadingFrame>
  );
}

type Write = WritesResponse["writes"][number];

const NAMES = { attn: "Attention", mlp: "MLP", mixer: "Mixer" } as const;

function WriteLists({ write }: { readonly write: Write }) {
  const name = NAMES[write.part];
  return (
    <>
      <EffectList title={`${name} promotes`} effects={write.promoted} />
      <EffectList title={`${name} suppresses`} effects={write.suppressed} />
    </>
  );
}

interface EffectListProps {
  readonly title: string;
  readonly effects: Write["promoted"];
}

function EffectList({ title, effects }: EffectListProps) {
  return (
    <div className="min-w-0 py-1">
      <h5 className="truncate text-cell text-quiet">{title}</h5>
      <ol aria-label={title} className="font-mono">
        {effects.map(({ token_id, text, contribution }) => (
          <li
            key={token_id}
            className="flex items-baseline gap-2"
            title={`id ${token_id}, bytes ${byteListOfText(text)}`}
          >
            <TokenText parts={cellPartsOfText(text)} className="min-w-0 flex-1 truncate" />
            <span className={clsx("shrink-0", contribution < 0 && "text-muted")}>
              {formatSigned(contribution)}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
