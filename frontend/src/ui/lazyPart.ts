import { type ComponentType, createElement, lazy } from "react";

/** The code of a part of the page did not arrive: the server is away, or was updated since the page was opened. */
export class PartNotLoaded extends Error {
  override readonly name = "PartNotLoaded";
  /** Lets the next render ask for the code again. */
  readonly askAgain: () => void;

  constructor(cause: unknown, askAgain: () => void) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.askAgain = askAgain;
  }
}

/** As React.lazy, which keeps a failure for ever; here the error boundary can ask again. */
export function lazyPart<Props extends object>(
  load: () => Promise<{ readonly default: ComponentType<Props> }>,
): ComponentType<Props> {
  const create = () =>
    lazy(() =>
      load().catch((cause: unknown) => {
        throw new PartNotLoaded(cause, () => (part = create()));
      }),
    );
  let part = create();
  return function LazyPart(props: Props) {
    return createElement(part, props);
  };
}

/** As `lazyPart`, of what comes without being asked for: when it does not arrive, it is fetched again later. */
export function patientPart<Props extends object>(
  load: () => Promise<{ readonly default: ComponentType<Props> }>,
): ComponentType<Props> {
  const arrived = (pauseMs: number): ReturnType<typeof load> =>
    load().catch(async () => {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      return arrived(Math.min(2 * pauseMs, 30_000));
    });
  return lazyPart(() => arrived(1000));
}
