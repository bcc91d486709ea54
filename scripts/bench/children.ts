const running = new Set<Deno.ChildProcess>();

/** Starts a process that {@linkcode killChildren} ends, if it has not ended by itself. */
export function spawnChild(program: string, options: Deno.CommandOptions): Deno.ChildProcess {
  const child = new Deno.Command(program, options).spawn();
  running.add(child);
  child.status.then(() => running.delete(child));
  return child;
}

/** Ends them at once: somebody has interrupted what they were started for, and their servers end next. */
export async function killChildren(): Promise<void> {
  const children = [...running];
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map(({ status }) => status));
}
