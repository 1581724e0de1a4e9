import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { DIVERGING } from "@/charts/colour/colour";
import { LensColumns } from "@/reading/columns";
import { lensCells } from "@/views/Heatmap/lensCells";
import { METRICS } from "@/views/Heatmap/metrics";
import { CellLooks } from "./cellLooks";
import { CellPicture } from "./CellPicture";
import { GridWindow } from "./GridWindow";
import { Overview } from "./Overview";

const N_POSITIONS = 200;
let gridWindow: GridWindow;
let moves: number[];
let zooms: number[];

const looks = new CellLooks({
  cells: lensCells({
    columns: new LensColumns(),
    metric: METRICS[0],
    answer: "off",
    tokenIds: new Array<number>(N_POSITIONS).fill(0),
  }),
  layers: [0, 1, 2],
  scale: { kind: "linear", dark: 0, bright: 1 },
});

beforeEach(() => {
  gridWindow = new GridWindow();
  [moves, zooms] = [[], []];
  gridWindow.onMove = (start) => moves.push(start);
  gridWindow.show(40, 60.5);
  render(
    <Overview
      picture={new CellPicture(looks, DIVERGING.light, DIVERGING.light)}
      nPositions={N_POSITIONS}
      nRows={3}
      unit="index"
      gridId="grid"
      gridWindow={gridWindow}
      range={{ start: 10, end: 20 }}
      selectedPosition={5}
      theme="light"
      onZoom={(direction) => zooms.push(direction)}
    />,
  );
});

const strip = () => screen.getByRole("slider");

test("says which part of the conversation is shown, and follows it", () => {
  expect(strip()).toHaveAttribute("aria-valuetext", "index 40 to 60 of 200");
  expect(strip()).toHaveAttribute("aria-valuenow", "40");
  expect(strip()).toHaveAttribute("aria-controls", "grid");
  act(() => gridWindow.show(179.5, 200));
  expect(strip()).toHaveAttribute("aria-valuenow", "180");
  expect(strip()).toHaveAttribute("aria-valuemax", "180");
  expect(strip()).toHaveAttribute("aria-valuetext", "index 180 to 199 of 200");
});

test("the keys move the frame by a column, by a window and to the ends, and zoom", async () => {
  strip().focus();
  await userEvent.keyboard("{ArrowRight}{ArrowLeft}{PageDown}{PageUp}{Home}{End}+-x");
  expect(moves).toEqual([41, 39, 60, 20, 0, 181]);
  expect(zooms).toEqual([1, -1]);
});

test("the frame is dragged where it is held, and a press beside it brings its middle there", () => {
  vi.spyOn(strip(), "getBoundingClientRect").mockReturnValue(new DOMRect(0, 0, 400, 40));
  vi.spyOn(strip(), "hasPointerCapture").mockReturnValue(true);
  fireEvent.pointerDown(strip(), { clientX: 100, pointerId: 1 });
  fireEvent.pointerMove(strip(), { clientX: 140, pointerId: 1 });
  expect(moves).toEqual([40, 60]);
  fireEvent.pointerDown(strip(), { clientX: 200, pointerId: 1 });
  expect(moves.at(-1)).toBe(100 - 20.5 / 2);
});
