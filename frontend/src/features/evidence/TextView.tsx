import type { ReactNode } from "react";
import { useServer } from "@/features/server/server";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { NothingToRead } from "./NothingToRead";

interface TextViewProps {
  readonly timeline: Timeline;
  /** What to do where no conversation has begun. */
  readonly empty: ReactNode;
  readonly children: (model: ModelInfo) => ReactNode;
}

/** A view of the whole text, while there is no text or no model as well. */
export function TextView({ timeline, empty, children }: TextViewProps) {
  const { model } = useServer();
  if (timeline.tokens.length === 0) return <NothingToRead timeline={timeline}>{empty}</NothingToRead>;
  if (model === null) return <p className="m-auto p-6 text-muted">Waiting for the model…</p>;
  return children(model);
}
