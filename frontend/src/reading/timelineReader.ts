/**
 * Reads a whole conversation through one lens, in chunks, into typed arrays. One reader per
 * conversation: its timeline only grows, so what was read stays valid.
 */
import { ApiError } from "@/base/errors";
import type { RequestLane } from "@/base/lane";
import type { Span } from "@/base/span";
import { modelKey } from "@/model/identity";
import type { LensKind } from "@/model/lenses";
import type { ModelIdentity, Token } from "@/model/timeline";
import type { LensReadRequest, LensReadResponse } from "@/types/schemas";
import { ChunkedReader } from "./chunkedReader";
import { LensColumns, CELL_PREDICTIONS } from "./columns";
import type { RankColumns } from "./rankColumns";
import { fetchLens, halfLayers } from "./requests";
import { sourceOf } from "./source";

/** What is read, through which lens. */
export interface ReadConversation {
  /** Null for a timeline that is read by its ids. */
  readonly conversationId: string | null;
  readonly model: ModelIdentity;
  readonly kind: LensKind;
  /** Half layers are read as well. */
  readonly hasHalf?: boolean;
}

export const readKey = ({ conversationId, model, kind, hasHalf = false }: ReadConversation): string =>
  [modelKey(model), kind, hasHalf, conversationId].join(" ");

/** Where answers are kept, and what of a timeline it still lacks. */
interface Columns {
  readonly version: number;
  follow: (tokens: readonly Token[]) => void;
  nextGap: (length: number, size: number, visible: Span | null) => Span | null;
  mergeResponse: (response: LensReadResponse) => void;
}

type Asks = Pick<LensReadRequest, "top_k" | "targets">;

class ColumnReader<Kept extends Columns> extends ChunkedReader {
  readonly columns: Kept;
  private readonly of: ReadConversation;
  private readonly asks: Asks;
  /** Changes when what was asked for before may be of other tokens. */
  private text = 0;
  private tokens: readonly Token[] = [];

  constructor(of: ReadConversation, lane: RequestLane, columns: Kept, asks: Asks) {
    super(lane, () => columns.version);
    this.of = of;
    this.columns = columns;
    this.asks = asks;
  }

  /** Takes the timeline as it is now, and drops what was read of another one. */
  follow(tokens: readonly Token[]): void {
    const before = this.columns.version;
    this.columns.follow(tokens);
    this.tokens = tokens;
    if (this.columns.version === before) return;
    this.text += 1;
    this.publish({});
  }

  /** Reads what is missing of a timeline of `length` tokens, until all is read or `signal` aborts. */
  read(length: number, signal: AbortSignal): Promise<void> {
    const nextGap = (size: number, visible: Span | null) => this.columns.nextGap(length, size, visible);
    return this.readAll({ nextGap, readSpan: (span, until) => this.readSpan(span, until) }, signal);
  }

  private async readSpan({ start, end }: Span, signal: AbortSignal): Promise<void> {
    const { conversationId, model, kind, hasHalf = false } = this.of;
    const { text } = this;
    const response = await fetchLens(
      {
        ...sourceOf(conversationId, this.tokens),
        kind,
        ...halfLayers(hasHalf),
        positions: [start, end],
        ...this.asks,
        include_tokens: false,
      },
      model,
      signal,
    );
    const answered = new Set(response.targets.map((target) => target.token_id));
    if (this.asks.targets?.every((id) => answered.has(id)) === false) {
      throw new ApiError({ code: "bad_answer", message: "The server's answer lacks the token asked for." });
    }
    if (text === this.text) this.columns.mergeResponse(response);
  }
}

/** The read-outs of every layer at every position. */
export class TimelineReader extends ColumnReader<LensColumns> {
  constructor(of: ReadConversation, lane: RequestLane) {
    super(of, lane, new LensColumns(of.hasHalf), { top_k: CELL_PREDICTIONS });
  }

  /** Takes the read-outs that arrived with the tokens of a reply. */
  take(tokens: readonly Token[]): void {
    for (const token of tokens) {
      if (token.lens !== null) this.columns.mergeTokenLens(token.index, token.lens);
    }
    if (this.columns.version !== this.getProgress().version) this.publish({});
  }
}

/** One token's rank and probability, everywhere. */
export class RankReader extends ColumnReader<RankColumns> {
  constructor(of: ReadConversation, lane: RequestLane, columns: RankColumns) {
    super(of, lane, columns, { top_k: 1, targets: [columns.tokenId] });
  }
}
