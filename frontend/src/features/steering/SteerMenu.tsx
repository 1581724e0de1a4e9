import { useChatNow } from "@/features/chat/chat";
import { showView } from "@/features/evidence/showView";
import { cellTextOfText } from "@/model/tokens";
import { IconButton } from "@/ui/Button";
import { Menu } from "@/ui/Menu";
import { type SteeringChoices, DEFAULT_STRENGTH, STEER, prepareSteering } from "./choices";

export interface SteerMenuProps {
  readonly tokenId: number;
  readonly text: string;
  /** The token that is really there, for an exchange; null where none is, or where it is this one. */
  readonly actual?: { readonly id: number; readonly text: string } | null;
}

/** What can be done with the direction of a token; each opens Steer. */
export default function SteerMenu({ tokenId, text, actual = null }: SteerMenuProps) {
  const chatNow = useChatNow();
  const name = cellTextOfText(text);
  const open = (part: Partial<SteeringChoices>) => (): void => {
    prepareSteering({ steer: tokenId, ...part }, chatNow().timeline.conversationId);
    showView(STEER);
  };
  return (
    <Menu
      trigger={<IconButton icon="steer" label={`Steer ${name}`} className="size-6" />}
      items={[
        { label: `Steer towards ${name}`, icon: "plus", onSelect: open({}) },
        { label: `Steer away from ${name}`, icon: "minus", onSelect: open({ strength: -DEFAULT_STRENGTH }) },
        { label: `Ablate ${name}`, icon: "close", onSelect: open({ how: "ablate" }) },
        ...(actual === null || actual.id === tokenId
          ? []
          : [
              {
                label: `Swap with ${cellTextOfText(actual.text)}`,
                icon: "range" as const,
                onSelect: open({ how: "swap", swap: actual.id }),
              },
            ]),
      ]}
    />
  );
}
