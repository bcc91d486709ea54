import type { TargetBench } from "./target.ts";
import { ONE_FILE_V4, ONE_FILE_V7 } from "./targets/one_file_bench.ts";

/** The table of targets, in its order: a new bench is a file in `targets/`, and a line here. */
export const TARGET_BENCHES: readonly TargetBench[] = [ONE_FILE_V7, ONE_FILE_V4];
