import type { TargetBench } from "./target.ts";
import { BACKLOG } from "./targets/backlog_bench.ts";
import { GZIP } from "./targets/gzip_bench.ts";
import { HISTORY } from "./targets/history_bench.ts";
import { LATENCY, LATENCY_UNDER_LOAD } from "./targets/latency_bench.ts";
import { MEMORY } from "./targets/memory_bench.ts";
import { ONE_FILE_V4, ONE_FILE_V7 } from "./targets/one_file_bench.ts";
import { OTHERS_HERE } from "./targets/others_bench.ts";
import { START } from "./targets/start_bench.ts";
import { TEN_FILES, TENTH_FILE_V4, TENTH_FILE_V7 } from "./targets/ten_files_bench.ts";
import { VALIDATE } from "./targets/validate_bench.ts";

/** The table of targets, in its order: a new bench is a file in `targets/`, and a line here. */
export const TARGET_BENCHES: readonly TargetBench[] = [
  ONE_FILE_V7,
  ONE_FILE_V4,
  TEN_FILES,
  TENTH_FILE_V7,
  TENTH_FILE_V4,
  LATENCY,
  LATENCY_UNDER_LOAD,
  BACKLOG,
  VALIDATE,
  MEMORY,
  GZIP,
  START,
  HISTORY,
  OTHERS_HERE,
];
