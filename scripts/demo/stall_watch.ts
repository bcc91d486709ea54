/** With nothing under way, a file that is still missing has got lost. */
const IDLE_LIMIT_MS = 15_000;
/** A load that waits, for a database that restarts perhaps, goes on within this time. */
const BUSY_LIMIT_MS = 180_000;

/** Tells when nothing has changed for too long, so that nobody waits for ever. */
export class StallWatch {
  #seen = "";
  #changedAt = performance.now();

  /**
   * @param state whatever changes as things go on
   * @param busy whether something is under way
   * @returns for how many milliseconds nothing has changed, once that is too long
   */
  see(state: unknown, { busy }: { busy: boolean }): number | undefined {
    const seen = JSON.stringify(state);
    const now = performance.now();
    if (seen !== this.#seen) this.#changedAt = now;
    this.#seen = seen;
    const still = now - this.#changedAt;
    return still >= (busy ? BUSY_LIMIT_MS : IDLE_LIMIT_MS) ? still : undefined;
  }
}
