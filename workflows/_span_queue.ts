import {
  EARLIER_SPANS_IN_FLIGHT,
  type IngestSettings,
  type Span,
  SPANS_PER_RUN,
} from "../domain/ingest_api.ts";

type ChunkRange = Pick<Span, "firstChunk" | "endChunk">;

/** Hands out the chunks of a file in spans, up to as many as one run may take. */
export class SpanQueue {
  /** First chunk that was not handed out yet. */
  next: number;
  /** How many spans are out at most. */
  readonly inFlight: number;
  readonly #chunks: number;
  readonly #lastOfRun: number;
  readonly #chunksPerSpan: number;
  readonly #out = new Set<ChunkRange>();
  /** Spans that were finished behind one that was taken back. */
  readonly #finished = new Set<number>();

  constructor(
    chunks: number,
    next: number,
    { chunksPerSpan, spansInFlight = EARLIER_SPANS_IN_FLIGHT }: IngestSettings,
  ) {
    this.inFlight = spansInFlight;
    this.#chunks = chunks;
    this.next = next;
    this.#chunksPerSpan = chunksPerSpan;
    this.#lastOfRun = next + SPANS_PER_RUN * chunksPerSpan;
  }

  /** The next span; undefined when none is left for this run. */
  take(): ChunkRange | undefined {
    if (this.next >= Math.min(this.#chunks, this.#lastOfRun)) return undefined;
    const firstChunk = this.next;
    this.next += this.#length(this.#chunks - firstChunk);
    const span = { firstChunk, endChunk: this.next };
    this.#out.add(span);
    return span;
  }

  /** @returns how many of its chunks were finished for the first time */
  finish(span: ChunkRange): number {
    this.#out.delete(span);
    let fresh = 0;
    for (let chunk = span.firstChunk; chunk < span.endChunk; chunk++) {
      if (this.#finished.has(chunk)) continue;
      this.#finished.add(chunk);
      fresh++;
    }
    return fresh;
  }

  /** Hands out again from the first span that was not finished. */
  takeBack(): void {
    this.next = Math.min(this.next, ...[...this.#out].map(({ firstChunk }) => firstChunk));
    this.#out.clear();
  }

  /** Shorter towards the end, so that all lanes finish at about the same time. */
  #length(remaining: number): number {
    return Math.min(this.#chunksPerSpan, Math.ceil(remaining / (2 * this.inFlight)));
  }
}
