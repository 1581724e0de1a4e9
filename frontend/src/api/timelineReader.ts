/**
 * Reads a whole conversation through one lens, in chunks, into typed arrays. One reader per
 * conversation: its timeline only grows, so what was read stays valid.
 */
import { LensColumns, CELL_PREDICTIONS, type Span } from "@/lib/columns";
import type { LensKind } from "@/lib/lenses";
import type { RankColumns } from "@/lib/rankColumns";
import type { Token } from "@/types/timeline";
import { ChunkedReader } from "./chunkedReader";
import { type LensReadRequest, type LensReadResponse, fetchLens } from "./client";
import { ApiError } from "./errors";
import type { RequestLane } from "./lane";

/** Where answers are kept, and what of a timeline it still lacks. */
interface Columns {
  readonly version: number;
  nextGap: (length: number, size: number, visible: Span | null) => Span | null;
  mergeResponse: (response: LensReadResponse) => void;
}

type Asks = Pick<LensReadRequest, "top_k" | "targets">;

class ColumnReader<Kept extends Columns> extends ChunkedReader {
  readonly columns: Kept;
  private readonly conversationId: string;
  private readonly kind: LensKind;
  private readonly asks: Asks;

  constructor(conversationId: string, kind: LensKind, lane: RequestLane, columns: Kept, asks: Asks) {
    super(lane, () => columns.version);
    this.conversationId = conversationId;
    this.kind = kind;
    this.columns = columns;
    this.asks = asks;
  }

  /** Reads what is missing of a timeline of `length` tokens, until all is read or `signal` aborts. */
  read(length: number, signal: AbortSignal): Promise<void> {
    const nextGap = (size: number, visible: Span | null) => this.columns.nextGap(length, size, visible);
    return this.readAll({ nextGap, readSpan: (span, until) => this.readSpan(span, until) }, signal);
  }

  private async readSpan({ start, end }: Span, signal: AbortSignal): Promise<void> {
    const response = await fetchLens(
      {
        conversation_id: this.conversationId,
        kind: this.kind,
        positions: [start, end],
        ...this.asks,
        include_tokens: false,
      },
      signal,
    );
    const answered = new Set(response.targets.map((target) => target.token_id));
    if (this.asks.targets?.every((id) => answered.has(id)) === false) {
      throw new ApiError({ code: "bad_answer", message: "The server's answer lacks the token asked for." });
    }
    this.columns.mergeResponse(response);
  }
}

/** The read-outs of every layer at every position. */
export class TimelineReader extends ColumnReader<LensColumns> {
  constructor(conversationId: string, kind: LensKind, lane: RequestLane) {
    super(conversationId, kind, lane, new LensColumns(), { top_k: CELL_PREDICTIONS });
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
  constructor(conversationId: string, kind: LensKind, lane: RequestLane, columns: RankColumns) {
    super(conversationId, kind, lane, columns, { top_k: 1, targets: [columns.tokenId] });
  }
}
