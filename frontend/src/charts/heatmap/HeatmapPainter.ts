/**
 * Keeps a canvas showing the part of the heatmap that is scrolled to. One drawing per frame at most,
 * whatever the number of scroll events and changes before it.
 */
import { onPixelRatioChange } from "@/base/pixelRatio";
import type { Span } from "@/base/span";
import {
  LABEL_WIDTH,
  type Offset,
  type Revealed,
  type Size,
  offsetToShow,
  visiblePositions,
} from "./geometry";
import type { GridWindow } from "./GridWindow";
import { Labels } from "./labels";
import { type Palette, type Scene, fontOf, paint } from "./paint";

interface PainterParts {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  /** Scrolls natively above the canvas; its content is only as large as the grid. */
  readonly scroller: HTMLElement;
  /** Moves with the cells: the marks of the hovered, active and selected cell. */
  readonly marks: HTMLElement;
  /** Told which columns are on the screen, and moves them. */
  readonly gridWindow: GridWindow;
  readonly onVisible: (span: Span) => void;
}

export class HeatmapPainter {
  private readonly parts: PainterParts;
  private readonly resizes: ResizeObserver;
  private readonly stopWatching: () => void;
  private scene: Scene | null = null;
  private palette: Palette;
  private labels: Labels;
  private textOf: (tokenId: number) => string = () => "";
  private frame = 0;
  private visible: Span = { start: -1, end: -1 };
  /** Where the column stays that is there when the cell width changes; null is the middle of the view. */
  private heldAt: number | null = null;

  constructor(parts: PainterParts) {
    this.parts = parts;
    this.palette = readPalette(parts.canvas);
    this.labels = this.newLabels();
    this.resizes = new ResizeObserver(this.schedule);
    this.resizes.observe(parts.scroller);
    this.stopWatching = onPixelRatioChange(this.schedule);
    parts.scroller.addEventListener("scroll", this.schedule, { passive: true });
    parts.gridWindow.onMove = (start) => {
      if (this.scene !== null) parts.scroller.scrollTo({ left: start * this.scene.grid.cellWidth });
    };
    // Text drawn before the font is there would keep the fallback font's look.
    void document.fonts.load(this.font()).then(() => {
      this.labels = this.newLabels();
      this.schedule();
    });
  }

  dispose(): void {
    this.scene = null;
    cancelAnimationFrame(this.frame);
    this.resizes.disconnect();
    this.stopWatching();
    this.parts.gridWindow.onMove = () => undefined;
    this.parts.scroller.removeEventListener("scroll", this.schedule);
  }

  /** The next change of the cell width leaves the column at `x` pixels of the view where it is. */
  holdAt(x: number): void {
    this.heldAt = Math.max(LABEL_WIDTH, x) - LABEL_WIDTH;
  }

  /** Draws another scene. Where the cell width changes, the middle of the view or what is held stays where it is. */
  show(scene: Scene, textOf: (tokenId: number) => string): void {
    const before = this.scene;
    this.scene = scene;
    if (textOf !== this.textOf) {
      this.textOf = textOf;
      this.labels = this.newLabels();
    }
    if (before !== null && before.grid.cellWidth !== scene.grid.cellWidth) {
      const { scroller, gridWindow } = this.parts;
      const held = this.heldAt ?? (scroller.clientWidth - LABEL_WIDTH) / 2;
      this.heldAt = null;
      const start = gridWindow.takeNextStart();
      scroller.scrollLeft =
        start === null
          ? ((scroller.scrollLeft + held) / before.grid.cellWidth) * scene.grid.cellWidth - held
          : start * scene.grid.cellWidth;
    }
    this.tell();
    this.schedule();
  }

  /** Takes the colours of the theme that is now in use. */
  recolour(): void {
    this.palette = readPalette(this.parts.canvas);
    this.schedule();
  }

  /** Scrolls as little as needed to bring a column, and with `layer` a cell, into view. */
  reveal(revealed: Revealed): void {
    if (this.scene === null) return;
    const { left, top } = offsetToShow(this.scene.grid, this.size(), this.offset(), revealed);
    this.parts.scroller.scrollTo({ left, top });
    this.tell();
  }

  offset(): Offset {
    return { left: this.parts.scroller.scrollLeft, top: this.parts.scroller.scrollTop };
  }

  private size(): Size {
    return { width: this.parts.scroller.clientWidth, height: this.parts.scroller.clientHeight };
  }

  private readonly schedule = (): void => {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(this.draw);
  };

  private readonly draw = (): void => {
    const { canvas, context, marks } = this.parts;
    if (this.scene === null) return;
    const size = this.size();
    const offset = this.offset();
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${size.width}px`;
      canvas.style.height = `${size.height}px`;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    setType(context, this.font());
    paint(context, this.scene, this.palette, this.labels, size, offset);
    marks.style.transform = `translate(${-offset.left}px, ${-offset.top}px)`;
    this.tell();
  };

  /** Tells what is on the screen, so that it is read first: at once, without waiting for the drawing. */
  private tell(): void {
    if (this.scene === null) return;
    const { grid } = this.scene;
    const [size, offset] = [this.size(), this.offset()];
    this.parts.gridWindow.show(
      offset.left / grid.cellWidth,
      Math.min(grid.nPositions, (offset.left + size.width - LABEL_WIDTH) / grid.cellWidth),
    );
    const visible = visiblePositions(grid, size, offset);
    if (visible.start !== this.visible.start || visible.end !== this.visible.end) {
      this.visible = visible;
      this.parts.onVisible(visible);
    }
  }

  private font(): string {
    return fontOf(getComputedStyle(this.parts.canvas).fontFamily);
  }

  private newLabels(): Labels {
    const { context } = this.parts;
    const font = this.font();
    return new Labels(
      (text) => {
        setType(context, font);
        return context.measureText(text).width;
      },
      (tokenId) => this.textOf(tokenId),
    );
  }
}

/** Without ligatures, also in a font of the system: no style sheet reaches the text of a canvas. */
function setType(context: CanvasRenderingContext2D, font: string): void {
  context.font = font;
  context.textRendering = "optimizeSpeed";
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    surface: colour("surface-raised"),
    sunken: colour("surface-sunken"),
    line: colour("line"),
    hatch: colour("line-strong"),
    text: colour("text"),
    quiet: colour("text-quiet"),
    selected: colour("selected"),
    range: colour("accent-soft"),
    note: colour("accent"),
  };
}
