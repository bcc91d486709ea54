import { InterruptedError } from "./failures.ts";

/**
 * In a terminal, `deno task` passes on a Ctrl-C that the process has had from the terminal already;
 * a person does not press it twice within this time.
 */
const ECHO_MS = 400;

/** Told to stop; the first time to drain, the second time to end at once. */
export interface StopSignals extends Disposable {
  /** Resolves with the first signal. */
  readonly first: Promise<Deno.Signal>;
  /** Aborted by the first signal; its reason is an `InterruptedError`. */
  readonly aborted: AbortSignal;
}

/**
 * Listens to SIGINT (Ctrl-C), SIGTERM, and SIGHUP (the terminal was closed).
 *
 * @param onSecond called once, when told a second time
 */
export function stopSignals(onSecond: () => void): StopSignals {
  const { promise: first, resolve } = Promise.withResolvers<Deno.Signal>();
  const controller = new AbortController();
  let firstAt: number | undefined;
  let told = false;
  const listeners = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const listener = () => {
      const now = performance.now();
      if (firstAt === undefined) {
        firstAt = now;
        resolve(signal);
        controller.abort(new InterruptedError());
      } else if (now - firstAt > ECHO_MS && !told) {
        told = true;
        onSecond();
      }
    };
    Deno.addSignalListener(signal, listener);
    return { signal, listener };
  });
  return {
    first,
    aborted: controller.signal,
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}
