/**
 * Starts the real servers for the browser tests, one for each worker: the built page, the API and the
 * embedded model, on free loopback ports. Playwright calls the returned function when the tests have ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

export const BACKEND = fileURLToPath(new URL("../../backend", import.meta.url));
const PAGE = fileURLToPath(new URL("../dist/index.html", import.meta.url));
const START_SECONDS = 180;
const STOP_SECONDS = 15;

/** More than two wait for each other on any machine: a server and its browser keep a core busy. */
export const N_SERVERS = Math.min(2, availableParallelism());
/** Servers that share cores must not wait for each other's threads. */
const THREADS = Math.max(1, Math.floor(availableParallelism() / N_SERVERS));

export interface RunningServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** As a power cut or the out-of-memory killer would. */
  readonly kill: () => Promise<void>;
}

export default async function startForAll(): Promise<() => Promise<void>> {
  const servers = await Promise.all(Array.from({ length: N_SERVERS }, () => startServer("memory")));
  // Inherited by the workers, which start after this.
  process.env["EXPLORER_E2E_URLS"] = servers.map(({ url }) => url).join(" ");
  return async () => {
    await Promise.all(servers.map(({ stop }) => stop()));
  };
}

/** The server of this worker. */
export function workerUrl(): string {
  const urls = (process.env["EXPLORER_E2E_URLS"] ?? "").split(" ");
  const url = urls[Number(process.env["TEST_PARALLEL_INDEX"] ?? 0) % urls.length];
  if (url === undefined || url === "") throw new Error("no server was started for this worker");
  return url;
}

/** `database` is never the default: what a person has saved on this machine is none of the tests' business. */
export async function startServer(
  database: string,
  onPort?: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  if (!existsSync(PAGE)) throw new Error("frontend/dist is missing: run `npm run build` first");
  const port = onPort ?? (await freePort());
  const model = process.env["EXPLORER_E2E_MODEL"] ?? "embedded";
  const output: string[] = [];
  const server = spawn(python(), ["run.py", "--model", model, "--port", `${port}`], {
    cwd: BACKEND,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      EXPLORER_THREADS: `${THREADS}`,
      ...process.env,
      HF_HUB_OFFLINE: "1",
      EXPLORER_DATABASE: database,
      ...settings,
    },
  });
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (data: Buffer) => output.push(data.toString()));
  }
  const url = `http://localhost:${port}`;
  try {
    await ready(server, `${url}/api/health`, output);
  } catch (error) {
    await stop(server, "SIGTERM");
    throw error;
  }
  return { url, stop: () => stop(server, "SIGTERM"), kill: () => stop(server, "SIGKILL") };
}

export function python(): string {
  const named = process.env["EXPLORER_PYTHON"];
  if (named !== undefined) return named;
  const own = [`${BACKEND}/.venv/bin/python`, `${BACKEND}/.venv/Scripts/python.exe`];
  return own.find((path) => existsSync(path)) ?? "python3";
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port was given"));
        else resolve(address.port);
      });
    });
  });
}

async function ready(server: ChildProcess, url: string, output: readonly string[]): Promise<void> {
  const deadline = Date.now() + START_SECONDS * 1000;
  while (Date.now() < deadline) {
    if (server.exitCode !== null) throw new Error(`the server ended at once:\n${output.join("")}`);
    const status = await fetch(url).then(
      (response) => response.status,
      () => null, // not listening yet
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error(`the server was not ready within ${START_SECONDS} s:\n${output.join("")}`);
}

function stop(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => server.kill("SIGKILL"), STOP_SECONDS * 1000);
    server.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    server.kill(signal);
  });
}
