import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { madeUpMap } from "@/test/jobData";
import { madeUpTokens } from "@/test/lensData";
import { refusal } from "@/test/renderView";
import JobList from "./JobList";

const tokens = madeUpTokens(6);
const job = (id: string, state: string) => ({
  ...madeUpMap({ state, nDone: 2, clean: tokens, corrupt: tokens, conversationId: null }),
  id,
  title: `map ${id}`,
});

/** The map of two saved conversations; `foil` is the token of which the logit is measured in B. */
const saved = (foil: number) => {
  const map = madeUpMap({ state: "done", nDone: 2, clean: tokens, corrupt: tokens, conversationId: "one" });
  return {
    ...map,
    id: "c",
    title: "map c",
    assumed: {
      ...map.assumed,
      direction: "noise",
      corrupt: { ...map.assumed.corrupt, conversation_id: "other" },
    },
    result: { ...map.result, foil: { ...map.result.foil, token_id: foil } },
  };
};

let jobs: (ReturnType<typeof job> | ReturnType<typeof saved>)[] = [];
let list: () => Response | Promise<Response>;
let acted: string[] = [];

beforeEach(() => {
  jobs = [job("a", "running"), job("b", "done")];
  list = () => Response.json({ jobs });
  acted = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/jobs") return list();
    if (pathname.startsWith("/api/conversations/")) return Response.json({ tokens });
    if (request.method === "GET") return Response.json(jobs.find(({ id }) => pathname.endsWith(`/${id}`)));
    acted.push(`${request.method} ${pathname}`);
    const id = pathname.split("/")[3];
    if (request.method === "DELETE") jobs = jobs.filter((each) => each.id !== id);
    else jobs = jobs.map((each) => (each.id === id ? job(each.id, "paused") : each));
    return Response.json(job(id ?? "", "paused"));
  });
});
afterEach(() => vi.unstubAllGlobals());

const shown = () =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <JobList shownId="a" />
    </QueryClientProvider>,
  );

test("a job is paused from the list, and one that is over is forgotten", async () => {
  shown();
  const rows = within(await screen.findByRole("list", { name: "Jobs" })).getAllByRole("listitem");
  expect(rows[0]).toHaveTextContent("map arunning, 50 %, about 12 s left, shown here");
  expect(rows[1]).toHaveTextContent("done");
  await userEvent.click(screen.getByRole("button", { name: "Pause map a" }));
  expect(await screen.findByRole("button", { name: "Resume map a" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Forget map b" }));
  await vi.waitFor(() => expect(screen.queryByText("map b")).toBeNull());
  expect(acted).toEqual(["POST /api/jobs/a/pause", "DELETE /api/jobs/b"]);
});

test("a job is opened in its view, at the token where it is read, with what was chosen of it", async () => {
  jobs = [saved(77)];
  shown();
  await userEvent.click(await screen.findByRole("button", { name: "Open map c" }));
  await vi.waitFor(() =>
    expect(Object.fromEntries(new URLSearchParams(window.location.search))).toEqual({
      c: "one",
      view: "patch",
      t: "4",
      vs: "saved.other",
      direction: "noise",
      job: "c",
      foil: "77",
    }),
  );
  window.history.replaceState(null, "", "/");
});

test("a job whose other text was not saved says that no view can show it", async () => {
  const map = saved(77);
  jobs = [
    { ...map, assumed: { ...map.assumed, corrupt: { ...map.assumed.corrupt, conversation_id: null } } },
  ];
  shown();
  await userEvent.click(await screen.findByRole("button", { name: "Open map c" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("in no saved conversation");
});

test("says that the list is read, and what a job is where there is none", async () => {
  let answer: ((response: Response) => void) | undefined;
  list = () => new Promise((resolve) => (answer = resolve));
  shown();
  expect(screen.getByRole("status")).toHaveTextContent("Reading the list…");
  await vi.waitFor(() => expect(answer).toBeDefined());
  answer?.(Response.json({ jobs: [] }));
  expect(await screen.findByText(/No jobs yet/)).toBeVisible();
});

test("a list that cannot be had says why and is asked for again", async () => {
  list = () => refusal("storage_failed", "The disk is full.", 507);
  shown();
  expect(await screen.findByRole("alert")).toHaveTextContent("The disk is full.");
  list = () => Response.json({ jobs });
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(await screen.findByText("map b")).toBeVisible();
});
