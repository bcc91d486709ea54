/**
 * Ends this process when the one that started it is gone, however that ended: its end of our standard input is closed
 * then. A worker that outlived an interrupted test run would go on taking tasks.
 */
export async function endWithParent(): Promise<never> {
  for await (const _ of Deno.stdin.readable) {
    // Nothing is ever written.
  }
  Deno.exit(1);
}
