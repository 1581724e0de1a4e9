import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "@/base/errors";
import { jobEvents, madeUpMap } from "@/test/jobData";
import { madeUpTokens } from "@/test/lensData";
import { refusal } from "@/test/renderView";
import type { JobInfo } from "@/types/schemas";
import { followJob } from "./followJob";

const tokens = madeUpTokens(6);
const job = (state: string, nDone: number) =>
  madeUpMap({ state, nDone, clean: tokens, corrupt: tokens, conversationId: null });

/** Answers in their order: of the events, and of the job itself. */
let streams: (() => Response | Promise<Response>)[] = [];
let jobs: (() => Response)[] = [];
let asked: string[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("fetch", (input: Request | string) => {
    const path = new URL(typeof input === "string" ? input : input.url, location.href).pathname;
    asked.push(path);
    const answer = (path.endsWith("/events") ? streams : jobs).shift();
    if (answer === undefined) throw new Error(`nobody answers ${path}`);
    return Promise.resolve().then(answer);
  });
});
afterEach(() => vi.unstubAllGlobals());

async function followed() {
  const seen: JobInfo[] = [];
  const away: (string | null)[] = [];
  await followJob("job-1", new AbortController().signal, {
    onJob: (each) => each.kind === "patch_map" && seen.push(each),
    onAway: (error) => away.push(error?.code ?? null),
  });
  return { seen, away, last: seen.at(-1) };
}

test("cells and progress are laid over the job until it is done", async () => {
  const cell = { row: 0, pair: 2, value: 1.5, score: 0.6 };
  streams = [
    () =>
      jobEvents(
        { type: "job", job: job("running", 2) },
        { type: "cells", cells: [cell] },
        { type: "progress", state: "paused", progress: 0.7, seconds_left: null },
        { type: "done", job: job("done", 52) },
      ),
  ];
  const { seen } = await followed();
  expect(seen.map(({ state }) => state)).toEqual(["running", "running", "paused", "done"]);
  expect(seen[1]?.result.scores[0]?.slice(0, 4)).toEqual([0.25, 0.25, 0.6, null]);
  expect(seen[1]?.result.cells[0]?.[2]).toBe(1.5);
  expect(seen.map(({ result }) => result.n_done)).toEqual([2, 3, 3, 52]);
  expect(seen[2]?.progress).toBe(0.7);
});

test("after a connection that was cut the job is asked for and followed again", async () => {
  streams = [
    () => jobEvents({ type: "job", job: job("running", 2) }),
    () => jobEvents({ type: "done", job: job("done", 52) }),
  ];
  jobs = [() => Response.json(job("running", 9))];
  const { seen, away } = await followed();
  expect(seen.map(({ result }) => result.n_done)).toEqual([2, 9, 52]);
  expect(asked).toEqual(["/api/jobs/job-1/events", "/api/jobs/job-1", "/api/jobs/job-1/events"]);
  expect(away.every((code) => code === null)).toBe(true);
});

test("a server that is away is said to be, and followed once it is back", async () => {
  streams = [
    () => Promise.reject(new TypeError("fetch failed")),
    () => jobEvents({ type: "done", job: job("done", 52) }),
  ];
  jobs = [() => Response.json(job("running", 9))];
  const { away, last } = await followed();
  expect(away[0]).toBe("server_unreachable");
  expect(away.at(-1)).toBeNull();
  expect(last?.state).toBe("done");
});

test.each(["cancelled", "error"])("a job that ends by %s is asked for once more", async (state) => {
  const error = { code: "job_lost", message: "The server ended.", hint: null, param: null, request_id: "r" };
  streams = [() => jobEvents({ type: state, error })];
  jobs = [() => Response.json({ ...job("lost", 9), error })];
  const { last } = await followed();
  expect([last?.state, last?.error?.code]).toEqual(["lost", "job_lost"]);
});

test("a job that there is not is an error, not asked for again", async () => {
  streams = [() => refusal("job_not_found", "There is no job job-1.", 404)];
  await expect(followed()).rejects.toThrow(ApiError);
  expect(asked).toHaveLength(1);
});
