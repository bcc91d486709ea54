import { relative } from "node:path";

/** A path as people type it: relative to the working directory when it lies inside, else as it is. */
export function shortPath(path: string): string {
  const here = relative(Deno.cwd(), path);
  return here === "" || here.startsWith("..") ? path : here;
}
