import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { choose } from "@/test/choose";
import { changed, comparePrompt, isRead, prompt, server, setUpCompare, timelineOf } from "@/test/compare";
import { MADE_UP, N_LAYERS } from "@/test/lensData";
import { renderView } from "@/test/renderView";
import { branch, savedConversation, summary } from "@/test/saved";
import Compare from "./Compare";

setUpCompare();

describe("other things to compare with", () => {
  test("another branch is there from the start where there is one", async () => {
    const timeline = timelineOf();
    const own = timeline.conversationId ?? "";
    server.saved = (path) =>
      Response.json(
        savedConversation({
          model: MADE_UP,
          id: path.endsWith("/other") ? "other" : own,
          branches: [branch(own), branch("other", { name: "Seine" })],
          tokens: changed,
        }),
      );
    renderView(Compare, timeline, { index: 6 });
    await isRead();
    expect(screen.getByText("branch 2 · Seine")).toBeVisible();
    expect(server.compared[0]?.b).toEqual({ conversation_id: "other", kind: "logit" });
  });

  test("a conversation whose title another one has is told apart on the button as in the list", async () => {
    const timeline = timelineOf();
    const own = timeline.conversationId ?? "";
    const at = (minute: number) => new Date(2024, 4, 2, 14, minute).getTime();
    const listed = [
      summary("one", { title: "The same", updated_at_ms: at(32), n_tokens: 18 }),
      summary("two", { title: "The same", updated_at_ms: at(40), n_tokens: 21 }),
      summary("three", { title: "Another", updated_at_ms: at(50) }),
    ].map((each) => ({ ...each, model: MADE_UP }));
    server.saved = (path) =>
      Response.json(
        path.endsWith("/conversations")
          ? { conversations: listed, total: listed.length }
          : savedConversation({
              model: MADE_UP,
              id: path.split("/")[3] ?? own,
              branches: [branch(own)],
              tokens: changed,
            }),
      );
    renderView(Compare, timeline, { index: 6 });
    await choose(await screen.findByRole("combobox", { name: /B:/ }), "saved");
    await userEvent.click(screen.getByRole("button", { name: "Choose…" }));
    await userEvent.click(
      await screen.findByRole("button", { name: "The same 2 May 2024 14:40, 21 tokens" }),
    );
    await waitFor(() => expect(server.compared[0]?.b).toEqual({ conversation_id: "two", kind: "logit" }));
    await userEvent.click(screen.getByRole("button", { name: "Change B" }));
    const chosen = await screen.findByRole("button", { name: "The same 2 May 2024 14:40, 21 tokens" });
    // One that no other looks like needs its title only.
    await userEvent.click(chosen);
    await userEvent.click(await screen.findByRole("button", { name: /^Another/ }));
    await userEvent.click(await screen.findByRole("button", { name: "Change B" }));
    expect(await screen.findByRole("button", { name: "Another" })).toBeVisible();
  });

  test("itself is read at another layer, without asking for its ids", async () => {
    renderView(Compare, timelineOf(), { index: 6, layer: 4 });
    await prompt();
    await choose(screen.getByRole("combobox", { name: /B:/ }), "same");
    await screen.findByText(/^12 of 12 pairs read/);
    const { a, b, layers } = server.compared[0] ?? {};
    expect(b?.conversation_id).toBe(a?.conversation_id);
    expect(layers?.[4]).toEqual([4, N_LAYERS]);
    await choose(screen.getByRole("combobox", { name: "layers" }), "one");
    await choose(screen.getByRole("combobox", { name: "layer of A" }), "6");
    await waitFor(() => expect(server.compared.at(-1)?.layers).toEqual([[6, N_LAYERS]]));
    expect(await screen.findByText(/layer 6 of A .*layer 12 of B/)).toBeVisible();
  });

  test("and through another lens", async () => {
    server.lenses = [
      { kind: "logit", fitted_tokens: null, origin: "shipped", beats_controls: null, unfitted_layers: [] },
      { kind: "tuned", fitted_tokens: 1, origin: "shipped", beats_controls: null, unfitted_layers: [] },
    ];
    await comparePrompt();
    await isRead();
    await choose(screen.getByRole("combobox", { name: "lens of B" }), "tuned");
    await waitFor(() => expect(server.compared.at(-1)?.b.kind).toBe("tuned"));
    expect(server.compared.at(-1)?.a.kind).toBe("logit");
    expect(await screen.findByText("B, layer 12, tuned lens")).toBeVisible();
  });

  test("a conversation of another model is not read", async () => {
    const timeline = timelineOf();
    const own = timeline.conversationId ?? "";
    server.saved = () =>
      Response.json(
        savedConversation({
          model: MADE_UP,
          id: own,
          branches: [branch(own), branch("other")],
          is_readable: false,
          tokens: [],
        }),
      );
    renderView(Compare, timeline, { index: 6 });
    expect(await screen.findByText(/requires that model/)).toBeVisible();
    expect(server.compared).toEqual([]);
  });
});
