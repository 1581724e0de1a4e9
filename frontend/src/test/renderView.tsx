/** Renders a view as the page does: with a query client, a selection and a server that answers. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { type ComponentType, useEffect } from "react";
import { vi } from "vitest";
import { ChatProvider } from "@/features/chat/chat";
import type { ViewProps } from "@/features/evidence/view";
import { NotesProvider } from "@/features/notes/notes";
import { type Pins, PinsProvider, usePins } from "@/features/pins/pinsContext";
import { SelectionProvider, type Selection, useSelection } from "@/features/selection/selection";
import { SettingsProvider } from "@/features/settings/settings";
import type { Timeline, Token } from "@/model/timeline";
import type { components } from "@/types/api";
import type { AttentionRequest, DoseRequest, ModelInfo, PatchRequest, WritesRequest } from "@/types/schemas";
import { N_HEADS, madeUpAttention } from "./attentionData";
import { madeUpAttribution, madeUpWrites } from "./attributionData";
import { madeUpDose } from "./doseData";
import { madeUpPatch } from "./jobData";
import {
  MADE_UP,
  N_LAYERS,
  VOCABULARY_SIZE,
  madeUpComparison,
  madeUpLens,
  madeUpMatches,
  madeUpToken,
} from "./lensData";
import { SITE_MODULES } from "./server";

type LensReadRequest = components["schemas"]["LensReadRequest"];
type CompareRequest = components["schemas"]["CompareRequest"];
type AttributionRequest = components["schemas"]["AttributionRequest"];
type CapabilitiesInfo = components["schemas"]["CapabilitiesInfo"];
type ChatRequest = components["schemas"]["ChatRequest"];

export interface FakeServer {
  /** Lens requests so far. */
  readonly asked: LensReadRequest[];
  /** What the model can be read with. */
  lenses: ModelInfo["lenses"];
  /** Replaces the answer to a lens request. */
  answer: (request: LensReadRequest) => Response | Promise<Response>;
  /** Heads of the model, as its facts have it. */
  nHeads: number;
  /** Requests for rows of attention so far. */
  readonly attended: AttentionRequest[];
  /** Replaces the answer to one of them. */
  attend: (request: AttentionRequest) => Response | Promise<Response>;
  /** Requests to compare so far. */
  readonly compared: CompareRequest[];
  /** Replaces the answer to one of them. */
  compare: (request: CompareRequest) => Response | Promise<Response>;
  /** Requests to take a logit apart so far. */
  readonly attributed: AttributionRequest[];
  /** Replaces the answer to one of them. */
  attribute: (request: AttributionRequest) => Response | Promise<Response>;
  /** Requests for dose curves so far. */
  readonly dosed: DoseRequest[];
  /** Replaces the answer to one of them. */
  dose: (request: DoseRequest) => Response | Promise<Response>;
  /** Requests for patched runs so far. */
  readonly patched: PatchRequest[];
  /** Replaces the answer to one of them. */
  patch: (request: PatchRequest) => Response | Promise<Response>;
  /** Requests for what a block wrote so far. */
  readonly opened: WritesRequest[];
  /** Replaces the answer to one of them. */
  open: (request: WritesRequest) => Response | Promise<Response>;
  /** What can be asked of the model. */
  capabilities: CapabilitiesInfo;
  /** Where its computation can be changed. */
  sites: components["schemas"]["InterventionSites"];
  /** Replies that were asked for so far. */
  readonly chats: ChatRequest[];
  /** Answers such a request; `signal` aborts when the page hangs up. */
  chat: (request: ChatRequest, signal: AbortSignal) => Response | Promise<Response>;
  /** Requests that wait for the model, as health tells. */
  waiting: number;
  /** Answers what an id stands for. */
  token: (tokenId: number) => Response | Promise<Response>;
  /** Answers about the saved conversations. */
  saved: (path: string) => Response;
}

const AVAILABLE = { available: true, reason: null, max_abs_diff: 1e-6 };

const HEALTH = {
  status: "ready",
  model: MADE_UP.name,
  revision: MADE_UP.revision,
  instance: "first",
  version: "0",
  queue: { running: 0, waiting: 0, capacity: 8 },
  jobs: 0,
  detail: null,
  download: null,
};

/** Answers `/api` from made-up read-outs of these tokens. Call `vi.unstubAllGlobals()` afterwards. */
export function fakeServer(tokens: readonly Token[], tiedEmbeddings = true): FakeServer {
  const server: FakeServer = {
    asked: [],
    lenses: [
      { kind: "logit", fitted_tokens: null, origin: "shipped", beats_controls: null, unfitted_layers: [] },
    ],
    answer: (request) => Response.json(madeUpLens(tokens, request)),
    nHeads: N_HEADS,
    attended: [],
    attend: (request) => Response.json(madeUpAttention(tokens, request)),
    compared: [],
    compare: (request) => Response.json(madeUpComparison(request)),
    attributed: [],
    attribute: (request) => Response.json(madeUpAttribution(tokens, request)),
    dosed: [],
    dose: (request) => Response.json(madeUpDose(request)),
    patched: [],
    patch: () => Response.json(madeUpPatch()),
    opened: [],
    open: (request) => Response.json(madeUpWrites(request)),
    capabilities: {
      sublayers: AVAILABLE,
      heads: AVAILABLE,
      neurons: AVAILABLE,
      attention: AVAILABLE,
      half_layers: AVAILABLE,
      gradients: AVAILABLE,
      interventions: AVAILABLE,
    },
    sites: { resid: AVAILABLE, attn: AVAILABLE, mlp: AVAILABLE, head: AVAILABLE, knock_out: AVAILABLE },
    chats: [],
    waiting: 0,
    chat: () => refusal("model_failed", "The model could not be loaded."),
    token: (tokenId) => Response.json(madeUpToken(tokenId)),
    saved: () => refusal("conversation_not_found", "There is no such conversation.", 404),
  };
  vi.stubGlobal("fetch", async (asked: Request | string, init?: RequestInit) => {
    const request = typeof asked === "string" ? new Request(new URL(asked, location.href), init) : asked;
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/api/health")
      return Response.json({ ...HEALTH, queue: { ...HEALTH.queue, waiting: server.waiting } });
    if (pathname === "/api/model_info") {
      return Response.json({
        model_name: MADE_UP.name,
        source: MADE_UP.source,
        revision: MADE_UP.revision,
        num_layers: N_LAYERS,
        num_heads: server.nHeads,
        vocab_size: VOCABULARY_SIZE,
        tied_embeddings: tiedEmbeddings,
        packing: "all",
        bos_token_id: null,
        bos_check: null,
        chat_template: { source: "built-in", text: "User: {}", stop: ["\nUser:"], starts_with_bos: false },
        lenses: server.lenses,
        half_layer_modules: Array.from({ length: 12 }, () => "ln_2"),
        site_modules: SITE_MODULES,
        capabilities: server.capabilities,
        intervention_sites: server.sites,
      });
    }
    if (pathname.startsWith("/api/tokens/")) return server.token(Number(pathname.split("/").at(-1)));
    if (pathname === "/api/tokens") return Response.json(madeUpMatches(searchParams.get("query") ?? ""));
    if (pathname.startsWith("/api/conversations")) return server.saved(pathname);
    if (pathname === "/api/chat") {
      const body = (await request.json()) as ChatRequest;
      server.chats.push(body);
      return Promise.race([server.chat(body, request.signal), whenAborted(request.signal)]);
    }
    if (pathname === "/api/attention") {
      const body = (await request.json()) as AttentionRequest;
      server.attended.push(body);
      return Promise.race([server.attend(body), whenAborted(request.signal)]);
    }
    if (pathname === "/api/compare") {
      const body = (await request.json()) as CompareRequest;
      server.compared.push(body);
      return Promise.race([server.compare(body), whenAborted(request.signal)]);
    }
    if (pathname === "/api/attribution") {
      const body = (await request.json()) as AttributionRequest;
      server.attributed.push(body);
      return Promise.race([server.attribute(body), whenAborted(request.signal)]);
    }
    if (pathname === "/api/dose") {
      const body = (await request.json()) as DoseRequest;
      server.dosed.push(body);
      return Promise.race([server.dose(body), whenAborted(request.signal)]);
    }
    if (pathname === "/api/patch") {
      const body = (await request.json()) as PatchRequest;
      server.patched.push(body);
      return Promise.race([server.patch(body), whenAborted(request.signal)]);
    }
    if (pathname === "/api/writes") {
      const body = (await request.json()) as WritesRequest;
      server.opened.push(body);
      return Promise.race([server.open(body), whenAborted(request.signal)]);
    }
    const body = (await request.json()) as LensReadRequest;
    server.asked.push(body);
    return Promise.race([server.answer(body), whenAborted(request.signal)]);
  });
  return server;
}

/** As fetch does: an abort ends the request, whether or not the server ever answers. */
const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
  );

export const refusal = (code: string, message: string, status = 503): Response =>
  Response.json({ error: { code, message, hint: "A hint.", param: null, request_id: "r1" } }, { status });

interface Place {
  readonly index: number | null;
  readonly layer?: number | null;
}

/** Gives the selection and the pins as they are now, and renders again with another timeline. */
export function renderView(View: ComponentType<ViewProps>, timeline: Timeline, place: Place) {
  let selection: Selection | undefined;
  let pins: Pins | undefined;
  function Selected({ shown }: { readonly shown: Timeline }) {
    const current = useSelection();
    const currentPins = usePins();
    const { select } = current;
    useEffect(() => select(place.index, place.layer ?? null), [select]);
    useEffect(() => {
      selection = current;
      pins = currentPins;
    });
    return <View timeline={shown} />;
  }
  const page = (shown: Timeline) => (
    <QueryClientProvider client={queries}>
      <SettingsProvider>
        <ChatProvider>
          <SelectionProvider>
            <PinsProvider>
              <NotesProvider>
                <Selected shown={shown} />
              </NotesProvider>
            </PinsProvider>
          </SelectionProvider>
        </ChatProvider>
      </SettingsProvider>
    </QueryClientProvider>
  );
  const queries = new QueryClient();
  const { rerender, unmount } = render(page(timeline));
  return {
    selection: (): Selection => {
      if (selection === undefined) throw new Error("nothing is rendered yet");
      return selection;
    },
    pins: (): Pins => {
      if (pins === undefined) throw new Error("nothing is rendered yet");
      return pins;
    },
    show: (next: Timeline) => rerender(page(next)),
    unmount,
  };
}
