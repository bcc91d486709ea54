import type { Logger } from "../log.ts";
import { reasonOf } from "./_reason_of.ts";

/** Tells a person of single items that fail, once for as long as each goes on failing. */
export class Troubles {
  readonly #log: Logger;
  readonly #action: string;
  #known = new Set<string>();

  /**
   * @param log Where it is told.
   * @param action What cannot be done with an item.
   */
  constructor(log: Logger, action: string) {
    this.#log = log;
    this.#action = action;
  }

  /**
   * Tells what is new, in one line however many they are: a dying disk fails at thousands.
   *
   * @param failed All items that failed in a whole round, and why.
   */
  tell(failed: ReadonlyMap<string, unknown>): void {
    const fresh = [...failed].filter(([item]) => !this.#known.has(item));
    this.#known = new Set(failed.keys());
    const [first] = fresh;
    if (first === undefined) return;
    const [item, error] = first;
    const more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
    this.#log.warn(
      `Cannot ${this.#action} ${item}${more}: ${reasonOf(error)}; it is tried again by each ` +
        "listing, everything else goes on",
    );
  }
}
