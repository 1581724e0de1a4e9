/**
 * Order of the page's lens requests. The server lets few requests of one tab wait, and answers them
 * in turn: so at most one background request is under way, and none starts while a click waits, unless
 * that has waited for long.
 */
/** How long background work waits for an urgent request: one that hangs must not hold up everything else. */
const PATIENCE_MS = 10_000;

export class RequestLane {
  private urgent = 0;
  private background: Promise<unknown> = Promise.resolve();
  private whenIdle: (() => void)[] = [];

  /** Starts at once; background work waits until it has ended. */
  async first<T>(request: () => Promise<T>): Promise<T> {
    this.urgent += 1;
    try {
      return await request();
    } finally {
      this.urgent -= 1;
      if (this.urgent === 0) for (const resume of this.whenIdle.splice(0)) resume();
    }
  }

  private idle(until: number): Promise<void> {
    return new Promise((resume) => {
      const timer = setTimeout(resume, until - performance.now());
      this.whenIdle.push(() => {
        clearTimeout(timer);
        resume();
      });
    });
  }

  /** Starts when the background request before it and every urgent one have ended. */
  afterwards<T>(request: () => Promise<T>): Promise<T> {
    const turn = this.background.then(async () => {
      const waitsUntil = performance.now() + PATIENCE_MS;
      while (this.urgent > 0 && performance.now() < waitsUntil) await this.idle(waitsUntil);
      return request();
    });
    this.background = turn.catch(() => undefined);
    return turn;
  }
}
