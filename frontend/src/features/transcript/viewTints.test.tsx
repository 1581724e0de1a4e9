import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useMemo, useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { ConversationToolbar } from "@/features/chat/ConversationToolbar";
import { useSettings } from "@/features/settings/settings";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import { TINT_GRADIENT } from "./tint";
import { type ViewTints, useViewTints } from "./viewTints";

afterEach(() => vi.unstubAllGlobals());

const LEGEND = { title: "What is read", gradient: TINT_GRADIENT, low: "0", high: "0.5", marked: null };

/** A view that colours the text. */
function View() {
  const [isOn, setOn] = useState(true);
  const shown = useMemo(
    (): ViewTints => ({
      label: "attention",
      hint: "What is read of each token",
      isOn,
      setOn,
      conversationId: "tinted",
      tints: null,
      legend: LEGEND,
    }),
    [isOn],
  );
  useViewTints(shown);
  return null;
}

function Page({ hasView }: { readonly hasView: boolean }) {
  const { settings, update } = useSettings();
  return (
    <>
      <ConversationToolbar
        settings={settings}
        nLayers={12}
        mode="chat"
        hasTemplate={false}
        isMaximised={false}
        onChange={update}
        onToggleMaximise={() => undefined}
      />
      {hasView && <View />}
    </>
  );
}

test("the colours of the open view are one of the choices, with their legend, and go with the view", async () => {
  const tokens = madeUpTokens(3);
  fakeServer(tokens);
  let hasView = true;
  const timeline = madeUpTimeline(tokens, "tinted");
  const { show } = renderView(() => <Page hasView={hasView} />, timeline, { index: 1 });
  const choice = screen.getByRole("combobox", { name: "Colour by" });
  const choose = async (name: RegExp): Promise<void> => {
    await userEvent.click(choice);
    await userEvent.click(await screen.findByRole("option", { name }));
  };
  expect(choice).toHaveTextContent("attention");
  expect(await screen.findByText("What is read")).toBeVisible();

  await choose(/^entropy/);
  expect(choice).toHaveTextContent("entropy");
  expect(screen.queryByText("What is read")).not.toBeInTheDocument();
  await choose(/^attention/);
  expect(await screen.findByText("What is read")).toBeVisible();

  hasView = false;
  show({ ...timeline });
  expect(choice).toHaveTextContent("entropy");
  await userEvent.click(choice);
  expect(await screen.findByRole("option", { name: /^surprisal/ })).toBeVisible();
  expect(screen.queryByRole("option", { name: /^attention/ })).not.toBeInTheDocument();
});
