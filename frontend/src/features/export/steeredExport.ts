/** An export of numbers that were computed under interventions: it names them, and its program makes them. */
import { inWords, tokensOf } from "@/features/steering/inWords";
import type { Steering, Token } from "@/model/timeline";
import { type Lookups, NotRecomputable, exactInterventions } from "./exactInterventions";
import type { ScriptInterventions } from "./interventionsScript";
import type { ExportSource, ViewExport } from "./viewExport";

/** The same with what the timelines were computed under. Raises NotRecomputable for a program that none can be. */
export async function steeredExport(
  viewExport: ViewExport,
  source: ExportSource,
  isProgram: boolean,
  lookups: Lookups,
): Promise<{ readonly viewExport: ViewExport; readonly source: ExportSource }> {
  const { other } = viewExport;
  const steering = viewExport.steering ?? source.steering;
  if (steering === undefined && other === undefined) return { viewExport, source };
  // The server takes ids that it does not hold for one text of a user.
  const tokens =
    source.conversationId === null
      ? source.tokens.map((token) => ({ ...token, role: "user" as const }))
      : source.tokens;
  const [own, its] = await Promise.all([
    steering && underThese(steering, tokens, lookups, isProgram),
    other && underThese(other.steering, other.tokens, lookups, isProgram),
  ]);
  return {
    viewExport: {
      ...viewExport,
      facts: [
        ...viewExport.facts,
        ...(own === undefined ? [] : [`Computed under interventions: ${own.words.join("; ")}`]),
        ...(its === undefined ? [] : [`B was computed under interventions: ${its.words.join("; ")}`]),
      ],
      json: {
        ...viewExport.json,
        steering: steering ?? null,
        ...(other === undefined ? {} : { other_steering: other.steering }),
      },
      script: (from) => {
        const script = viewExport.script(from);
        if (script.isUnderInterventions === true) return script;
        throw new NotRecomputable(
          "The program of this view computes the plain model, and these numbers were computed under interventions. Take the JSON, which names them and has every number.",
        );
      },
    },
    source: {
      ...source,
      ...(steering === undefined ? {} : { steering }),
      ...(own === undefined ? {} : { interventions: own }),
      ...(its === undefined ? {} : { otherInterventions: its }),
    },
  };
}

async function underThese(
  steering: Steering,
  tokens: readonly Token[],
  lookups: Lookups,
  isProgram: boolean,
): Promise<ScriptInterventions> {
  const texts = new Map<number, string>();
  for (const id of new Set(steering.interventions.flatMap(tokensOf))) texts.set(id, await lookups.textOf(id));
  const words = steering.interventions.map((each) => inWords(each, (id) => texts.get(id) ?? null));
  return { words, interventions: isProgram ? await exactInterventions(steering, tokens, lookups) : [] };
}
