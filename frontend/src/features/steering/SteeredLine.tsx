import { useChat } from "@/features/chat/chat";
import { showView } from "@/features/evidence/showView";
import type { Steering } from "@/model/timeline";
import { useRuns } from "@/reading/underInterventions";
import { useServer } from "@/features/server/server";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { STEER } from "./choices";
import { inWords, tokensOf } from "./inWords";
import { useTokenTexts } from "./tokenTexts";

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

interface SteeredLineProps {
  readonly steering: Steering;
}

/** Says what the shown branch is computed under, and how often each change acted. */
export default function SteeredLine({ steering: { interventions } }: SteeredLineProps) {
  const timeline = useChat((chat) => chat.timeline);
  const { model } = useServer();
  const textOf = useTokenTexts(interventions.flatMap(tokensOf), timeline.model);
  const { data } = useRuns(timeline, {
    position: timeline.tokens.length - 1,
    targets: [],
    // The branch's own run, of which the server knows where its reply begins.
    runs: [interventions],
    nLayers: model?.num_layers ?? null,
  });
  const fired = data?.[0]?.fired ?? null;
  return (
    <section
      aria-label="Interventions"
      className="flex shrink-0 items-center gap-2 border-b border-line bg-warn-soft px-3 py-1 text-label md:px-4"
    >
      <Icon name="steer" className="text-warn" />
      <p className="min-w-0 flex-1">
        <b className="font-medium">Computed under interventions:</b>{" "}
        {interventions.map((each) => inWords(each, textOf)).join("; ")}
        {fired !== null && ` · acted ${fired.map(times).join(" and ")}`}
      </p>
      <Button look="quiet" onClick={() => showView(STEER)}>
        Steer
      </Button>
    </section>
  );
}
