import type { Logger } from "../log.ts";
import { reasonOf } from "./_reason_of.ts";

/** Tells a person once that something the watcher needs is away, and once that it is back. */
export class Outages {
  readonly #since = new Map<string, number>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Does work that needs a service.
   *
   * @param service What is said to be away when the work fails.
   * @throws What the work throws; the caller tries again later.
   */
  async during<T>(service: string, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.over(service);
      return result;
    } catch (error) {
      this.begin(service, error);
      throw error;
    }
  }

  /** The service failed. */
  begin(service: string, error: unknown): void {
    if (this.#since.has(service)) return;
    this.#since.set(service, performance.now());
    this.#log.warn(
      `Cannot watch for files: ${service} is away (${reasonOf(error)}); nothing is lost, the ` +
        "watcher waits and tries again",
    );
  }

  /** The service answered. */
  over(service: string): void {
    const since = this.#since.get(service);
    if (since === undefined) return;
    this.#since.delete(service);
    const seconds = ((performance.now() - since) / 1000).toFixed(1);
    this.#log.info(`${service} is back after ${seconds} s, the watcher goes on`);
  }
}
