import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HEALTH, MODEL } from "@/test/server";
import type { FitJob } from "@/types/schemas";
import FitPanel from "./FitPanel";

const layer = (n: number, beats_controls: boolean) => ({
  layer: n,
  kl_nats: 1 + n,
  logit_kl_nats: 20.5,
  scaled_kl_nats: 5,
  scale: 0.1,
  permuted_kl_nats: 30,
  in_use_kl_nats: null,
  standard_error_nats: 0.1,
  beats_controls,
});

const VERDICT = {
  n_positions: 96,
  beats_controls: true,
  is_in_use: true,
  layers: [layer(0, true), layer(1, true), layer(2, false)],
};

const fit = (state: FitJob["state"], verdict: FitJob["result"]["verdict"] = null): FitJob => ({
  id: "fit-1",
  kind: "fit_lens",
  state,
  progress: 0.5,
  seconds_left: state === "running" ? 42 : null,
  created_at_ms: 1,
  updated_at_ms: 1,
  model: MODEL.model_name,
  model_identity: { name: MODEL.model_name, revision: MODEL.revision, source: MODEL.source },
  conversation_id: null,
  title: "tuned lens",
  error: null,
  assumed: { lens: "tuned", seconds: 600, text: "sample", fit_tokens: 1000, held_out_tokens: 200 },
  result: {
    curve: [
      { seconds: 6, tokens: 100, values: [24, 2, 0.5] },
      { seconds: 12, tokens: 200, values: [4, 1, 0.4] },
    ],
    verdict,
  },
});

let jobs: FitJob[] = [];
let sent: { method: string; path: string; body: unknown }[] = [];

beforeEach(() => {
  jobs = [];
  sent = [];
  vi.stubGlobal("fetch", async (input: Request | string) => {
    const request = typeof input === "string" ? new Request(new URL(input, "http://localhost")) : input;
    const { pathname } = new URL(request.url);
    if (pathname === "/api/health") return Response.json(HEALTH);
    if (pathname === "/api/model_info") return Response.json(MODEL);
    if (request.method !== "GET") {
      const text = await request.text();
      sent.push({ method: request.method, path: pathname, body: text === "" ? null : JSON.parse(text) });
    }
    if (pathname === "/api/jobs" && request.method === "GET") return Response.json({ jobs });
    if (pathname === "/api/jobs") {
      jobs = [fit("running")];
      return Response.json({ id: "fit-1" }, { status: 202 });
    }
    if (pathname.endsWith("/events")) {
      const event = { type: jobs[0]?.state === "done" ? "done" : "job", job: jobs[0] };
      return new Response(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`, {
        headers: { "Content-Type": "text/event-stream" },
      });
    }
    if (pathname.endsWith("/pause")) jobs = [fit("paused")];
    return Response.json(jobs[0] ?? fit("cancelled"));
  });
});
afterEach(() => vi.unstubAllGlobals());

const shown = () =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <FitPanel />
    </QueryClientProvider>,
  );

test("a fit is started with the text and the time that were chosen", async () => {
  shown();
  const minutes = await screen.findByLabelText("Minutes");
  await userEvent.clear(minutes);
  await userEvent.type(minutes, "2");
  await userEvent.click(screen.getByRole("radio", { name: "File" }));
  expect(screen.getByRole("button", { name: "Fit the lens" })).toBeDisabled();
  await userEvent.upload(screen.getByLabelText("Text file"), new File(["Some text."], "mine.txt"));
  await vi.waitFor(() => expect(screen.getByRole("button", { name: "Fit the lens" })).toBeEnabled());
  await userEvent.click(screen.getByRole("button", { name: "Fit the lens" }));
  expect(await screen.findByText("Tuned lens, sample, 10 min: 50 %, about 42 s left")).toBeVisible();
  expect(sent[0]?.body).toEqual({
    kind: "fit_lens",
    lens: "tuned",
    seconds: 120,
    text: { source: "text", name: "mine.txt", text: "Some text." },
  });
});

test("a Jacobian lens is fitted where it was chosen", async () => {
  shown();
  await userEvent.click(await screen.findByRole("radio", { name: "Jacobian" }));
  await userEvent.click(screen.getByRole("button", { name: "Fit the lens" }));
  await screen.findByRole("button", { name: "Pause" });
  expect(sent[0]?.body).toMatchObject({ kind: "fit_lens", lens: "jacobian" });
});

test("the curve of a Jacobian lens says what it shows, without the points that have no numbers", async () => {
  const running = fit("running");
  const points = [{ seconds: 3, tokens: 0, values: [] }, ...running.result.curve];
  jobs = [
    {
      ...running,
      assumed: { ...running.assumed, lens: "jacobian" },
      result: { ...running.result, curve: points },
    },
  ];
  shown();
  expect(await screen.findByRole("img", { name: /the two halves of the text.*layer 0: 4.00/ })).toBeVisible();
});

test("a fit that runs shows its curve, and is paused", async () => {
  jobs = [fit("running")];
  shown();
  expect(
    await screen.findByRole("img", { name: /layer 0: 4.00, layer 1: 1.00, layer 2: 0.400/ }),
  ).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Pause" }));
  expect(await screen.findByText("Tuned lens, sample, 10 min: 50 %, paused")).toBeVisible();
  expect(screen.getByRole("button", { name: "Resume" })).toBeVisible();
  expect(sent.map(({ path }) => path)).toEqual(["/api/jobs/fit-1/pause"]);
});

test("the verdict names each layer beside its controls", async () => {
  jobs = [fit("done", VERDICT)];
  shown();
  const verdict = within(await screen.findByRole("region", { name: "Verdict" }));
  expect(verdict.getByText(/every control at 2 of 3 layers, on 96 held-out/)).toBeVisible();
  expect(verdict.getByText(/can be chosen now/)).toBeVisible();
  expect(verdict.getAllByRole("row")[3]).toHaveTextContent("23.00020.5005.00030.000no");
});

test("a lens that is no better than its controls says so", async () => {
  jobs = [fit("done", { ...VERDICT, beats_controls: false, is_in_use: false })];
  shown();
  const verdict = within(await screen.findByRole("region", { name: "Verdict" }));
  expect(verdict.getByText(/No better than a control at 1 of 3 layers/)).toBeVisible();
  expect(verdict.getByText(/has is nearer and stays/)).toBeVisible();
});
