/** A figure under the choices of the dialog, with its fonts, or the reason why there is none. */
import { useEffect, useMemo, useState } from "react";
import type { Figure, FigureStyle } from "@/charts/figure/figure";
import { withFonts } from "@/charts/figure/fonts";
import { exportFigure } from "./exportFigure";
import type { FigureRequest } from "./exporting";

export interface MadeFigure {
  /** The last one that could be made; it stays in view while the next is on its way. */
  readonly figure: Figure | null;
  readonly isWorking: boolean;
  readonly error: Error | null;
}

const asError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)));

export function useFigure({ viewExport, source }: FigureRequest, style: FigureStyle): MadeFigure {
  const drawn = useMemo(() => {
    try {
      return exportFigure(viewExport, source, style);
    } catch (cause) {
      return asError(cause);
    }
  }, [viewExport, source, style]);
  const [made, setMade] = useState<{ readonly of: Figure | Error; readonly result: Figure | Error } | null>(
    null,
  );
  const [figure, setFigure] = useState<Figure | null>(null);
  useEffect(() => {
    if (drawn instanceof Error) return undefined;
    let isCurrent = true;
    withFonts(drawn.svg).then(
      (svg) => {
        if (!isCurrent) return;
        const result = { ...drawn, svg };
        setMade({ of: drawn, result });
        setFigure(result);
      },
      (cause: unknown) => isCurrent && setMade({ of: drawn, result: asError(cause) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [drawn]);
  if (drawn instanceof Error) return { figure: null, isWorking: false, error: drawn };
  const isWorking = made?.of !== drawn;
  return { figure, isWorking, error: !isWorking && made.result instanceof Error ? made.result : null };
}
