import { Suspense } from "react";
import { useSettings } from "@/features/settings/settings";
import { Transcript } from "@/features/transcript/Transcript";
import { useTints } from "@/features/transcript/useTints";
import { useShownViewTints } from "@/features/transcript/viewTints";
import { lazyPart } from "@/ui/lazyPart";
import { useChat } from "./chat";

const PlainTranscript = lazyPart(() => import("@/features/transcript/PlainTranscript"));

interface ChatTextProps {
  readonly modelName: string;
  readonly nLayers: number;
}

/** The text of the conversation that is shown, with its colours: rendered with each token. */
export function ChatText({ modelName, nLayers }: ChatTextProps) {
  const timeline = useChat((chat) => chat.timeline);
  const mode = useChat((chat) => chat.mode);
  const { settings } = useSettings();
  const view = useShownViewTints();
  const isOfView = view?.isOn === true;
  const { tints } = useTints(timeline, isOfView ? "none" : settings.colouring, nLayers);
  const viewTints = view?.conversationId === timeline.conversationId ? view.tints : null;
  if (settings.textForm === "plain") {
    return (
      <Suspense fallback={null}>
        <PlainTranscript timeline={timeline} mode={mode} modelName={modelName} />
      </Suspense>
    );
  }
  return (
    <Transcript
      timeline={timeline}
      mode={mode}
      modelName={modelName}
      tints={isOfView ? viewTints : tints}
      showTemplate={settings.showTemplate}
      isReading={settings.textForm === "reading"}
    />
  );
}
