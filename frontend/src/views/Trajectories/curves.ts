/**
 * Trajectories of single tokens at single positions. Each is asked for on its own, so that what is
 * known is never read again; those that are wanted at the same moment share a request per position.
 */
import { ApiError } from "@/base/errors";
import type { RequestLane } from "@/base/lane";
import { modelKey } from "@/model/identity";
import type { LensKind } from "@/model/lenses";
import type { ModelIdentity } from "@/model/timeline";
import { fetchLens, halfLayers } from "@/reading/requests";
import type { ReadSource } from "@/reading/source";
import type { LensReadRequest, LensReadResponse } from "@/types/schemas";
import type { Curve } from "./curveMetrics";

/** Which trajectory: a token, and the position where the residual stream is read. */
export interface CurvePlace {
  readonly position: number;
  readonly tokenId: number;
}

/** A trajectory of one conversation, through one lens. */
export interface CurveRequest extends CurvePlace {
  readonly source: ReadSource;
  /** The model that computed the conversation. */
  readonly model: ModelIdentity | null;
  readonly kind: LensKind;
  /** Half layers are read as well. */
  readonly hasHalf?: boolean;
}

interface Ask extends CurveRequest {
  readonly signal: AbortSignal;
  readonly resolve: (curve: Curve) => void;
  readonly reject: (reason: unknown) => void;
}

/** The server's bound of `targets`. */
const MAX_TARGETS = 32;

type Fetch = (
  body: LensReadRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
) => Promise<LensReadResponse>;

export class CurveReader {
  private asks: Ask[] = [];
  /** One request at a time: the server lets few of one tab wait. */
  private turn: Promise<void> = Promise.resolve();
  private readonly lane: RequestLane;
  private readonly fetch: Fetch;

  constructor(lane: RequestLane, fetch: Fetch = fetchLens) {
    this.lane = lane;
    this.fetch = fetch;
  }

  read(request: CurveRequest, signal: AbortSignal): Promise<Curve> {
    return new Promise((resolve, reject) => {
      if (this.asks.length === 0) setTimeout(() => this.flush());
      this.asks.push({ ...request, signal, resolve, reject });
    });
  }

  /** Sends what was asked for since the last time, the first position first. */
  private flush(): void {
    const groups = new Map<string, Ask[]>();
    for (const ask of this.asks.splice(0)) {
      const key = [modelKey(ask.model), ask.kind, ask.hasHalf, JSON.stringify(ask.source), ask.position].join(
        " ",
      );
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [ask]);
      else group.push(ask);
    }
    for (const group of groups.values()) {
      for (let start = 0; start < group.length; start += MAX_TARGETS) {
        const part = group.slice(start, start + MAX_TARGETS);
        this.turn = this.turn.then(() => this.send(part));
      }
    }
  }

  /** Settles every ask; never throws. */
  private async send(group: readonly Ask[]): Promise<void> {
    const asks = group.filter((ask) => {
      if (ask.signal.aborted) ask.reject(ask.signal.reason);
      return !ask.signal.aborted;
    });
    const [first] = asks;
    if (first === undefined) return;
    const controller = new AbortController();
    let giveUp: (reason: unknown) => void = () => undefined;
    // The next request does not wait for one that was given up to notice it.
    const givenUp = new Promise<never>((_, reject) => (giveUp = reject));
    const onAbort = (): void => {
      if (!asks.every((ask) => ask.signal.aborted)) return;
      controller.abort();
      giveUp(controller.signal.reason);
    };
    for (const { signal } of asks) signal.addEventListener("abort", onAbort, { once: true });
    try {
      const body: LensReadRequest = {
        ...first.source,
        kind: first.kind,
        ...halfLayers(first.hasHalf === true),
        positions: [first.position, first.position + 1],
        targets: asks.map((ask) => ask.tokenId),
        top_k: 1,
        include_tokens: false,
      };
      const response = await this.lane.first(() =>
        Promise.race([this.fetch(body, first.model, controller.signal), givenUp]),
      );
      for (const ask of asks) ask.resolve(curveOf(response, ask.tokenId));
    } catch (error) {
      for (const ask of asks) ask.reject(error);
    } finally {
      for (const { signal } of asks) signal.removeEventListener("abort", onAbort);
    }
  }
}

/** The column of one target of a response for one position. */
function curveOf(response: LensReadResponse, tokenId: number): Curve {
  const target = response.targets.find((each) => each.token_id === tokenId);
  const probability = target?.probability.flatMap((row) => row.slice(0, 1)) ?? [];
  const rank = target?.rank.flatMap((row) => row.slice(0, 1)) ?? [];
  if (
    target === undefined ||
    probability.length !== response.layers.length ||
    rank.length !== response.layers.length
  ) {
    throw new ApiError({
      code: "bad_answer",
      message: `The server's answer has no trajectory of the token ${tokenId}.`,
    });
  }
  return { tokenId, text: target.text, layers: response.layers, probability, rank };
}
