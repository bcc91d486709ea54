import type { Bench } from "./bench.ts";
import { GENERATE } from "./generate_bench.ts";
import { SCAN } from "./scan_bench.ts";
import { WRITE } from "./write_bench.ts";

/** All that `deno task bench` measures, in the order of its table: a new one is a file beside these, and a line here. */
export const BENCHES: readonly Bench[] = [GENERATE, WRITE, SCAN];
