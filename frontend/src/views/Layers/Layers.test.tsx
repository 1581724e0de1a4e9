import { act, fireEvent, screen, waitFor, within, renderHook } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeStored } from "@/base/stored";
import { formatProbability, formatRank } from "@/model/format";
import type { Token } from "@/model/timeline";
import { N_LAYERS, idOf, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { matchMedia } from "@/test/media";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import { useLayersChoices } from "./choices";
import Layers from "./Layers";

/** The reply begins at index 9. */
const N_TOKENS = 30;
const N_REPLY = 21;
let tokens: Token[];
let server: FakeServer;
let timeline: ReturnType<typeof madeUpTimeline>;
let serial = 0;

beforeEach(() => {
  tokens = madeUpTokens(N_TOKENS);
  server = fakeServer(tokens);
  // What was read of a conversation is kept, so each test has one of its own.
  serial += 1;
  timeline = madeUpTimeline(tokens, `layers-${serial}`);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const allRead = () => screen.findByText("30 of 30 positions read");
const token = (index: number): Token => {
  const found = tokens[index];
  if (found === undefined) throw new Error(`no token ${index}`);
  return found;
};
const slider = () => screen.getByRole("slider", { name: "Layer" });
const options = () => within(screen.getByRole("listbox")).getAllByRole("option");
const option = (index: number): HTMLElement => {
  const found = options().find((each) => each.dataset["index"] === String(index));
  if (found === undefined) throw new Error(`no word ${index}`);
  return found;
};
/** What is said in place of a token, without what stands there. */
const said = (index: number): string => option(index).querySelector(".word-body")?.textContent ?? "";
const lens = () => madeUpLens(tokens, { top_k: 5 });
const topId = (index: number, layer: number) => lens().top_ids[layer]?.[index - 1]?.[0];
const replyIndices = Array.from({ length: N_REPLY }, (_, i) => 9 + i);
const agreeing = (layer: number, indices: readonly number[]) =>
  indices.filter((index) => topId(index, layer) === tokens[index]?.id).length;
const changed = (layer: number, indices: readonly number[]) =>
  indices.filter((index) => topId(index, layer) !== topId(index, layer - 1)).length;

describe("the four states", () => {
  test("empty: says what will be here", () => {
    renderView(Layers, { ...timeline, conversationId: null, tokens: [], status: "empty" }, { index: null });
    expect(screen.getByText(/Nothing to read yet/)).toBeInTheDocument();
    expect(screen.queryByRole("slider")).not.toBeInTheDocument();
  });

  test("loading: shows how far it is, no word and no number", async () => {
    server.answer = () => new Promise<Response>(() => undefined);
    renderView(Layers, timeline, { index: 12, layer: 5 });
    expect(await screen.findByRole("progressbar", { name: "Positions read" })).toHaveValue(0);
    expect(screen.getByText("At layer 5, no position is read yet.")).toBeInTheDocument();
    for (const word of options()) {
      expect(said(Number(word.dataset["index"])).trim()).toBe("");
      expect(word).toHaveAttribute("data-kind", "unread");
    }
    expect(screen.getByRole("region", { name: "Word" })).toHaveTextContent("Not read yet.");
    expect(slider()).toHaveAttribute("aria-valuetext", "Layer 5: nothing read yet");
  });

  test("failed: keeps what was read, says why, and goes on on request", async () => {
    const answer = server.answer;
    server.answer = (request) =>
      server.asked.length > 1 ? refusal("out_of_memory", "Not enough memory.", 507) : answer(request);
    renderView(Layers, timeline, { index: 29 });
    expect(await screen.findByRole("alert")).toHaveTextContent("Not enough memory.");
    expect(screen.getByText(/^\d+ of 30 positions read; hatched words are not/)).toBeInTheDocument();
    expect(screen.getByText(/of the \d+ positions read so far/)).toBeVisible();
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await allRead()).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("deferred: while the reply is written, what is missing waits for its end", async () => {
    const view = renderView(Layers, { ...timeline, status: "streaming" }, { index: 12 });
    expect(
      await screen.findByText("0 of 30 positions read; the others follow when the reply has ended"),
    ).toBeInTheDocument();
    expect(server.asked).toHaveLength(0);
    view.show(timeline);
    expect(await allRead()).toBeInTheDocument();
  });

  test("done: every word is the layer's first choice, with the server's numbers", async () => {
    renderView(Layers, timeline, { index: 12, layer: 8 });
    await allRead();
    expect(changed(8, replyIndices)).toBeGreaterThan(0);
    expect(options()).toHaveLength(N_REPLY);
    for (const index of replyIndices) {
      const word = option(index);
      const id = topId(index, 8);
      const text = lens().vocabulary[String(id)] ?? "";
      expect(said(index).replaceAll("·", " ").trim()).toBe(
        text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").trim(),
      );
      const kind = id === tokens[index]?.id ? "actual" : id === topId(index, N_LAYERS) ? "output" : "other";
      expect(word).toHaveAttribute("data-kind", kind);
      expect(word.hasAttribute("data-changed")).toBe(id !== topId(index, 7));
      expect(word.querySelector(".word-actual") === null).toBe(kind === "actual");
      const probability = formatProbability(lens().top_probabilities[8]?.[index - 1]?.[0] ?? null);
      expect(word.getAttribute("aria-label")).toContain(`probability ${probability}`);
    }
    expect(
      screen.getByText(
        `At layer 8, top-1 matches the actual token at ${agreeing(8, replyIndices)} of 21 positions; ${changed(8, replyIndices)} changed since layer 7.`,
      ),
    ).toBeInTheDocument();
    const card = screen.getByRole("region", { name: "Word" });
    expect(card).toHaveTextContent("read at index 11");
    expect(card).toHaveTextContent(
      `probability ${formatProbability(lens().top_probabilities[8]?.[11]?.[0] ?? null)}`,
    );
    expect(card).toHaveTextContent(
      `rank ${formatRank(lens().next_rank[8]?.[11] ?? null)}, probability ${formatProbability(lens().next_probability[8]?.[11] ?? null)}`,
    );
  });
});

describe("the slider", () => {
  test("is the shared layer, the last one until one is chosen; keys move it and nothing is read again", async () => {
    const view = renderView(Layers, timeline, { index: null });
    await allRead();
    const asked = server.asked.length;
    expect(slider()).toHaveAttribute("aria-valuenow", String(N_LAYERS));
    expect(screen.getByText(/^At layer 12, the model’s own output,/)).toBeInTheDocument();
    slider().focus();
    await userEvent.keyboard("{Home}");
    expect(view.selection()).toMatchObject({ index: null, layer: 0 });
    expect(screen.getByText(/^At layer 0 \(embedding\), /)).toBeInTheDocument();
    await userEvent.keyboard("{ArrowRight}{PageUp}");
    expect(view.selection().layer).toBe(6);
    act(() => view.selection().select(null, 3));
    expect(slider()).toHaveAttribute("aria-valuenow", "3");
    for (let layer = 0; layer <= N_LAYERS; layer += 1) {
      act(() => view.selection().select(null, layer));
      expect(slider().getAttribute("aria-valuetext")).toContain(
        `${agreeing(layer, replyIndices)} of 21 positions`,
      );
    }
    expect(server.asked).toHaveLength(asked);
  });

  test("a press on it goes to the layer under the pointer, and dragging on", async () => {
    const view = renderView(Layers, timeline, { index: null });
    await allRead();
    vi.spyOn(slider(), "getBoundingClientRect").mockReturnValue(new DOMRect(10, 0, 130, 60));
    vi.spyOn(slider(), "hasPointerCapture").mockReturnValue(true);
    fireEvent.pointerDown(slider(), { clientX: 10 + 45 });
    expect(view.selection().layer).toBe(4);
    fireEvent.pointerMove(slider(), { clientX: 10 + 75 });
    expect(view.selection().layer).toBe(7);
    fireEvent.pointerMove(slider(), { clientX: 900 });
    expect(view.selection().layer).toBe(12);
  });

  test("the bars are as high as the share of tokens that stand in the text", async () => {
    renderView(Layers, timeline, { index: null });
    await allRead();
    const bars = [...slider().querySelectorAll<HTMLElement>("[data-part=share]")];
    expect(bars).toHaveLength(N_LAYERS + 1);
    bars.forEach((bar, layer) => {
      expect(Number.parseFloat(bar.style.height)).toBeCloseTo((100 * agreeing(layer, replyIndices)) / 21, 3);
    });
  });

  test("the steppers stop at the ends", async () => {
    const view = renderView(Layers, timeline, { index: null, layer: 11 });
    await allRead();
    await userEvent.click(screen.getByRole("button", { name: "Layer above" }));
    expect(view.selection().layer).toBe(12);
    expect(screen.getByRole("button", { name: "Layer above" })).toBeDisabled();
    await userEvent.click(screen.getByRole("button", { name: "Layer below" }));
    expect(view.selection().layer).toBe(11);
  });
});

describe("Play", () => {
  const start = async (layer: number) => {
    const view = renderView(Layers, timeline, { index: null, layer });
    await allRead();
    vi.useFakeTimers();
    fireEvent.click(screen.getByRole("button", { name: "Play" }));
    return view;
  };
  const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

  test("steps through the layers and stops by itself at the last", async () => {
    const view = await start(10);
    expect(screen.getByRole("button", { name: "Pause" })).toBeInTheDocument();
    await pass(750);
    expect(view.selection().layer).toBe(11);
    await pass(750);
    expect(view.selection().layer).toBe(12);
    expect(screen.getByRole("button", { name: "Play" })).toBeInTheDocument();
    await pass(5000);
    expect(view.selection().layer).toBe(12);
  });

  test("begins at the embedding when the last layer is shown", async () => {
    const view = await start(12);
    expect(view.selection().layer).toBe(0);
    await pass(750);
    expect(view.selection().layer).toBe(1);
  });

  test("stops when something else moves the layer, for good", async () => {
    const view = await start(3);
    await pass(750);
    act(() => view.selection().select(null, 8));
    expect(screen.getByRole("button", { name: "Play" })).toBeInTheDocument();
    act(() => view.selection().select(null, 4));
    await pass(3000);
    expect(view.selection().layer).toBe(4);
  });

  test("stops when the view is left", async () => {
    const view = await start(3);
    view.show({ ...timeline, tokens: [] });
    await pass(3000);
    expect(view.selection().layer).toBe(3);
  });

  test("is not offered where no motion is wanted; the steppers are", async () => {
    matchMedia((query) => query.includes("reduced-motion"));
    renderView(Layers, timeline, { index: null, layer: 3 });
    await allRead();
    expect(screen.queryByRole("button", { name: "Play" })).not.toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Layer above" })).toBeEnabled();
  });
});

describe("the words", () => {
  test("a click selects the token with the layer, arrow keys go from word to word", async () => {
    const view = renderView(Layers, timeline, { index: null });
    await allRead();
    fireEvent.click(option(14));
    expect(view.selection()).toMatchObject({ index: 14, layer: 12 });
    expect(option(14)).toHaveAttribute("aria-selected", "true");
    screen.getByRole("listbox").focus();
    await userEvent.keyboard("{ArrowRight}{ArrowRight}{ArrowLeft}");
    expect(view.selection().index).toBe(15);
    expect(screen.getByRole("listbox")).toHaveAttribute("aria-activedescendant", option(15).id);
    await userEvent.keyboard("{Home}");
    expect(view.selection().index).toBe(9);
    await userEvent.keyboard("{ArrowLeft}");
    expect(view.selection().index).toBe(9);
    await userEvent.keyboard("{End}");
    expect(view.selection().index).toBe(29);
  });

  test("the card follows the pointer, then the selection again", async () => {
    renderView(Layers, timeline, { index: 12 });
    await allRead();
    const card = screen.getByRole("region", { name: "Word" });
    fireEvent.pointerMove(option(20));
    expect(card).toHaveTextContent("predicts index 20");
    fireEvent.pointerLeave(screen.getByRole("listbox"));
    expect(card).toHaveTextContent("predicts index 12");
  });

  test("all tokens are shown on request, the first as it is and not counted", async () => {
    writeStored("settings", { showTemplate: true });
    const view = renderView(Layers, timeline, { index: 0, layer: 5 });
    await allRead();
    await userEvent.click(screen.getByRole("radio", { name: "All" }));
    expect(options()).toHaveLength(N_TOKENS);
    expect(option(0)).toHaveTextContent("User:");
    expect(option(0)).toHaveAttribute("data-kind", "first");
    expect(
      screen.getByText(/^At layer 5, top-1 matches the actual token at \d+ of 29 positions/),
    ).toBeInTheDocument();
    expect(screen.getByRole("region", { name: "Word" })).toHaveTextContent("nothing predicted it");
    expect(screen.getAllByRole("group", { name: /^(You|made-up)$/ })).toHaveLength(2);
    view.unmount();
    // The choice is remembered.
    renderView(Layers, timeline, { index: 0 });
    await allRead();
    expect(options()).toHaveLength(N_TOKENS);
  });

  test("the template's tokens are folded as in the conversation", async () => {
    writeStored("settings", { showTemplate: false });
    writeStored("view-layers", { scope: "all" });
    renderView(Layers, timeline, { index: null });
    await allRead();
    expect(options()).toHaveLength(N_TOKENS - 3);
  });

  test("a reply that has no token yet says so", async () => {
    const prompt = { ...timeline, tokens: tokens.slice(0, 9) };
    renderView(Layers, prompt, { index: null });
    expect(await screen.findByText(/has generated nothing here yet/)).toBeInTheDocument();
    expect(
      screen.getByText("At layer 12, the model’s own output, no token here is predicted."),
    ).toBeVisible();
  });

  test("marks, changes, the text below and the tint are switched one by one", async () => {
    renderView(Layers, timeline, { index: null, layer: 8 });
    await allRead();
    const flip = async (name: RegExp) => {
      await userEvent.click(screen.getByRole("button", { name: "Display options" }));
      await userEvent.click(await screen.findByRole("switch", { name }));
      await userEvent.keyboard("{Escape}");
    };
    const count = (selector: string) => screen.getByRole("listbox").querySelectorAll(selector).length;
    expect(count("[data-kind]")).toBe(N_REPLY);
    expect(count("[data-changed]")).toBe(changed(8, replyIndices));
    expect(count(".word-actual")).toBe(N_REPLY - agreeing(8, replyIndices));
    expect(count("[style]")).toBe(0);
    await flip(/^Mark matches/);
    expect(count("[data-kind]")).toBe(0);
    await flip(/^Mark changes/);
    expect(count("[data-changed]")).toBe(0);
    expect(screen.queryByRole("list", { name: "Marks" })).not.toBeInTheDocument();
    await flip(/^Show actual token/);
    expect(count(".word-actual")).toBe(0);
    await flip(/^Tint/);
    expect(count(".word-body[style]")).toBe(N_REPLY);
    expect(screen.getByRole("list", { name: "Marks" })).toHaveTextContent("probability 0");
  });

  test("a fitted lens is read anew and named", async () => {
    writeStored("settings", { lens: "tuned" });
    server.lenses.push({
      kind: "tuned",
      fitted_tokens: 10,
      origin: "shipped",
      beats_controls: null,
      unfitted_layers: [],
    });
    renderView(Layers, timeline, { index: null });
    await allRead();
    expect(await screen.findByText(/Read through the tuned lens\.$/)).toBeInTheDocument();
    await waitFor(() => expect(server.asked.some((request) => request.kind === "tuned")).toBe(true));
  });

  test("markup in a token is text, and half a character is whole only after its other half", async () => {
    const half = (index: number, id: number, bytes: string): Token => ({
      ...token(index),
      id,
      text: "\ufffd",
      bytes: btoa(bytes),
    });
    tokens[10] = { ...token(10), text: "<img src=x>", bytes: btoa("<img src=x>"), id: 7 };
    tokens[12] = half(12, 8, "\xf0\x9f");
    tokens[13] = half(13, 9, "\x99\x82");
    // Every layer predicts what stands there, but layer 3 misses the first half.
    server.answer = async (request) => {
      const answer = madeUpLens(tokens, request);
      answer.positions.forEach((position, column) => {
        for (const layer of answer.layers) {
          const next = tokens[position + 1];
          const ids = answer.top_ids[layer]?.[column];
          if (next === undefined || ids === undefined) continue;
          ids[0] = layer === 3 && position === 11 ? idOf(",") : next.id;
          answer.vocabulary[String(next.id)] = next.text;
        }
      });
      return Promise.resolve(Response.json(answer));
    };
    const view = renderView(Layers, timeline, { index: null });
    await allRead();
    expect(said(10)).toBe("<img·src=x>");
    expect(screen.getByRole("listbox").querySelector("img")).toBeNull();
    expect(said(12)).toBe("\\xF0\\x9F");
    expect(said(13)).toBe("🙂");
    act(() => view.selection().select(null, 3));
    expect(said(12)).toBe(",");
    expect(said(13)).toBe("\\x99\\x82");
  });
});

test("choices that were stored are taken as far as they fit", () => {
  writeStored("view-layers", { scope: "all", hasMarks: "off", hasTint: "yes", hasActual: false });
  expect(renderHook(() => useLayersChoices()).result.current[0]).toEqual({
    scope: "all",
    hasMarks: false,
    hasChanges: true,
    hasActual: true,
    hasTint: false,
  });
});
