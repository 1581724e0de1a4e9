import { Suspense } from "react";
import { useSettings } from "@/features/settings/settings";
import { Transcript } from "@/features/transcript/Transcript";
import { useTints } from "@/features/transcript/useTints";
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
  const { tints } = useTints(timeline, settings.colouring, nLayers);
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
      tints={tints}
      showTemplate={settings.showTemplate}
      isReading={settings.textForm === "reading"}
    />
  );
}
