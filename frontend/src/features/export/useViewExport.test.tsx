import { act, render } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { type OpenView, useOpenView, useViewExport } from "./useViewExport";
import type { ViewExport } from "./viewExport";

const madeWith = (title: string): ViewExport => ({
  title,
  facts: [],
  place: "",
  table: { columns: [], rows: [] },
  columns: null,
  draw: () => ({ width: 1, height: 1, svg: "" }),
  places: [],
  script: () => ({ imports: [], lenses: [], nNumbers: 0, inputs: [], sections: [], run: [] }),
});

function View({ title, onRun }: { readonly title: string | null; readonly onRun: (title: string) => void }) {
  useViewExport(title === null ? "Not read yet." : () => Promise.resolve(madeWith(title)), [
    { label: "Do it", run: () => onRun(title ?? "") },
  ]);
  return null;
}

test("a reader around the view renders when an export becomes available, and exports the latest state", async () => {
  const seen: OpenView[] = [];
  const onRun = vi.fn();
  let title: string | null = null;
  // The reader renders the view again on each notice, so a notice on every render would loop forever.
  function Around() {
    seen.push(useOpenView());
    return <View title={title} onRun={onRun} />;
  }
  const { rerender } = render(<Around />);
  expect(seen.at(-1)?.viewExport).toBe("Not read yet.");

  title = "first";
  rerender(<Around />);
  const before = seen.length;
  title = "second";
  rerender(<Around />);
  expect(seen).toHaveLength(before + 1);
  const { viewExport, commands } = seen.at(-1) ?? { viewExport: "", commands: [] };
  if (typeof viewExport === "string") throw new Error(viewExport);
  expect((await viewExport()).title).toBe("second");
  act(() => commands[0]?.run());
  expect(onRun).toHaveBeenCalledWith("second");
});
