import {
  FILE_FAULT_KINDS,
  type FileFaultKind,
  PLANTED_FAULTS,
  type PlantedFault,
} from "./fault_kinds.ts";
import type { FaultShares } from "./fault_shares.ts";
import { drawHeaderDrift, type HeaderDrift, NO_DRIFT } from "./header_drift.ts";
import { Prng, STREAM } from "./prng.ts";

/** What is wrong with a file as a whole, if anything. */
export interface FileFault {
  readonly kind: FileFaultKind | null;
  readonly drift: HeaderDrift;
  /** Name under which it lands again. */
  readonly copyName: string | null;
  /** None or one line. */
  readonly truth: readonly PlantedFault[];
}

/** Draws what is wrong with a file; seed and sequence decide. */
export function drawFileFault(
  { seed, sequence, shares, name }: {
    seed: number;
    sequence: number;
    shares: FaultShares;
    name: string;
  },
): FileFault {
  const prng = new Prng(seed, STREAM.fileFaults, sequence);
  let mark = prng.uniform();
  const kind = FILE_FAULT_KINDS.find((kind) => (mark -= shares[kind] ?? 0) < 0) ?? null;
  const drift = kind === "drifted_header" ? drawHeaderDrift(prng) : NO_DRIFT;
  const copyName = kind === "renamed_copy" ? `copy-of-${name}` : null;
  if (kind === null) return { kind, drift, copyName, truth: [] };
  const truth: PlantedFault = {
    file: copyName ?? name,
    line: null,
    kind,
    verdict: PLANTED_FAULTS[kind].verdict,
    eventId: null,
    ...(drift.column !== undefined && { column: drift.column }),
    ...(copyName !== null && { copyOf: name }),
  };
  return { kind, drift, copyName, truth: [truth] };
}
