import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test, vi } from "vitest";
import { DEFAULT_CELL_WIDTH, HEAD_HEIGHT, LABEL_WIDTH } from "@/charts/heatmap/geometry";
import { allRead, setUpHeatmap, timeline } from "@/test/heatmap";
import { renderView } from "@/test/renderView";
import Heatmap from "./Heatmap";

setUpHeatmap();

describe("a range", () => {
  const range = () => screen.queryByRole("group", { name: "Range" });

  test("is chosen by Shift and the arrows, either way, and cleared by Escape", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Shift>}{ArrowRight}{ArrowRight}{/Shift}");
    expect(range()).toHaveTextContent("Index 8 to 10, 3 positions");
    await userEvent.keyboard("{Shift>}{ArrowLeft}{ArrowLeft}{ArrowLeft}{/Shift}");
    expect(range()).toHaveTextContent("Index 7 to 8, 2 positions");
    await userEvent.keyboard("{ArrowRight}");
    expect(range()).toHaveTextContent("Index 7 to 8");
    await userEvent.keyboard("{Escape}");
    expect(range()).not.toBeInTheDocument();
  });

  test("is chosen by dragging over columns, which selects no token", async () => {
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    const table = screen.getByRole("grid");
    const at = (position: number) => ({
      clientX: LABEL_WIDTH + (position + 0.5) * DEFAULT_CELL_WIDTH,
      clientY: HEAD_HEIGHT + 5,
      button: 0,
    });
    vi.spyOn(table, "getBoundingClientRect").mockReturnValue(new DOMRect(0, 0, 2000, 400));
    fireEvent.mouseDown(table, at(12));
    fireEvent.mouseMove(window, at(12));
    expect(range()).not.toBeInTheDocument();
    fireEvent.mouseMove(window, at(4));
    fireEvent.mouseUp(window, at(4));
    fireEvent.click(table, at(4));
    expect(range()).toHaveTextContent("Index 4 to 12, 9 positions");
    expect(view.selection()).toMatchObject({ index: 9 });
    fireEvent.mouseMove(window, at(20));
    expect(range()).toHaveTextContent("Index 4 to 12");

    fireEvent.click(table, { ...at(2), shiftKey: true });
    expect(range()).toHaveTextContent("Index 2 to 12");
    fireEvent.mouseDown(table, at(6));
    fireEvent.mouseUp(window, at(6));
    fireEvent.click(table, at(6));
    expect(view.selection()).toMatchObject({ index: 7 });
    await userEvent.click(screen.getByRole("button", { name: "Clear" }));
    expect(range()).not.toBeInTheDocument();
  });
});
