import type { ModelInfo } from "@/types/schemas";

interface NotSplitProps {
  readonly capabilities: ModelInfo["capabilities"];
}

const PARTS = [
  ["heads", "Attention is not split into heads"],
  ["attention", "Heads are not split further"],
  ["neurons", "MLPs are not split further"],
] as const;

/** What does not open on this model, and why. */
export function NotSplit({ capabilities }: NotSplitProps) {
  const missing = PARTS.filter(([name]) => !capabilities[name].available);
  if (missing.length === 0) return null;
  return (
    <ul className="px-3 py-2 text-label text-muted">
      {missing.map(([name, text]) => (
        <li key={name}>
          {text}: {capabilities[name].reason ?? "the parts do not add up"}.
        </li>
      ))}
    </ul>
  );
}
