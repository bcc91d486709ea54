import type { FaultShares } from "../../domain/generator/fault_shares.ts";
import type { Profile } from "../../domain/generator/profile.ts";
import { InterruptedError } from "../cli/failures.ts";
import { liveView } from "../cli/live_view.ts";
import { bar, bytes, count, countOf, duration } from "../cli/numbers.ts";
import { stopSignals } from "../cli/stop_signals.ts";
import { generateBulk } from "../generate_bulk.ts";

/**
 * Writes files in bulk with a progress bar; their paths go to stdout.
 *
 * @throws {InterruptedError} on Ctrl-C; whole files stay
 */
export async function writeBulk(
  { rows, directory, gzip, files, seed, from, faults, truth, profile }: {
    rows: number;
    directory: string;
    gzip: boolean;
    files: number;
    seed: number;
    from: number | undefined;
    faults: FaultShares | undefined;
    truth: string | undefined;
    profile: Profile;
  },
): Promise<void> {
  using signals = stopSignals(() => Deno.exit(130));
  const view = liveView();
  try {
    const result = await generateBulk({
      directory,
      rows,
      files,
      gzip,
      seed,
      profile,
      signal: signals.aborted,
      ...(from !== undefined && { from }),
      ...(faults && { faults }),
      ...(truth !== undefined && { truth }),
      onProgress: ({ rows: written, rowsPerSecond, remainingMs, bytes: size }) => {
        const numbers = `${count(written)} of ${countOf(rows, "event")} · ${bytes(size)} · ` +
          `${count(rowsPerSecond)} rows/s · ${duration(remainingMs)} to go`;
        view.show([`${bar(written / rows)} ${numbers}`], numbers);
      },
    });
    view.end();
    console.log(result.paths.join("\n"));
  } catch (error) {
    throw signals.aborted.aborted ? new InterruptedError() : error;
  }
}
