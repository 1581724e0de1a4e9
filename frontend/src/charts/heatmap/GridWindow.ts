/**
 * Which columns of the grid are on the screen, in fractions of a column. Kept outside of the view's
 * state: it changes with every frame of a scroll, and only the overview's frame follows it.
 */
interface Shown {
  readonly start: number;
  readonly end: number;
}

export class GridWindow {
  /** Set by the grid: scrolls so that `start` is its first column. */
  onMove: (start: number) => void = () => undefined;
  /** Where to be once the columns have their next width; null keeps the middle of the view. */
  private nextStart: number | null = null;
  private shown: Shown = { start: 0, end: 0 };
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly get = (): Shown => this.shown;

  show(start: number, end: number): void {
    if (start === this.shown.start && end === this.shown.end) return;
    this.shown = { start, end };
    for (const listener of this.listeners) listener();
  }

  /** Brings `start` to the left edge, as far as the grid can be scrolled. */
  moveTo(start: number): void {
    this.onMove(Math.max(0, start));
  }

  /** As `moveTo`, but after the next change of the cells' width. */
  moveOnceResized(start: number): void {
    this.nextStart = start;
  }

  /** Where to be after the change of width that just happened; only told once. */
  takeNextStart(): number | null {
    const start = this.nextStart;
    this.nextStart = null;
    return start;
  }
}
