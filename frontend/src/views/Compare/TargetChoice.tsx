import { usePins } from "@/features/pins/pinsContext";
import { TokenSearch } from "@/features/tokenSearch/TokenSearch";
import { cellTextOfText } from "@/model/tokens";
import { Select } from "@/ui/Select";
import type { FirstChoices } from "./pairColumns";

interface TargetChoiceProps {
  readonly modelName: string;
  readonly tokenId: number | null;
  /** Its text, once it is read. */
  readonly text: string | null;
  /** Top-1 predictions of both sides at the cursor. */
  readonly suggested: FirstChoices | null;
  readonly textOf: (tokenId: number) => string;
  readonly onChoose: (tokenId: number) => void;
}

const NONE = -1;

/** The token whose probability is compared: a pinned one, the top-1 of either side, or any other. */
export function TargetChoice({ modelName, tokenId, text, suggested, textOf, onChoose }: TargetChoiceProps) {
  const { pins } = usePins();
  const options = new Map<number, string>();
  if (tokenId === null) options.set(NONE, "choose a token");
  for (const pinned of pins.flatMap((pin) => pin.tokens)) {
    options.set(
      pinned.id,
      `${pinned.text === null ? `id ${pinned.id}` : cellTextOfText(pinned.text)} (pinned)`,
    );
  }
  if (suggested !== null) {
    for (const [id, who] of [
      [suggested.aId, "A’s top-1 here"],
      [suggested.bId, "B’s top-1 here"],
    ] as const) {
      if (!options.has(id)) options.set(id, `${textOf(id)} (${who})`);
    }
  }
  if (tokenId !== null && !options.has(tokenId)) {
    options.set(tokenId, text === null ? `id ${tokenId}` : `${cellTextOfText(text)} (id ${tokenId})`);
  }
  return (
    <div className="flex min-w-0 flex-wrap items-end gap-2 max-md:w-full">
      <Select
        label="token"
        value={tokenId ?? NONE}
        options={[...options].map(([value, label]) => ({ value, label }))}
        onChange={(id) => {
          if (id !== NONE) onChoose(id);
        }}
        className="max-w-72 max-md:w-full"
      />
      <TokenSearch
        modelName={modelName}
        label="or one of the vocabulary"
        verb="chooses"
        isSingle
        isTaken={(id) => id === tokenId}
        takenAs="chosen"
        isFull={false}
        onChoose={({ id }) => onChoose(id)}
      />
    </div>
  );
}
