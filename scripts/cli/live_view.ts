const CLEAR_TO_END = "\x1b[0J";
/** A log of a long run stays readable. */
const PLAIN_LINE_EVERY_MS = 1_000;

/** Progress on stderr: redrawn in place on a terminal, else a plain line about every second. */
export interface LiveView {
  /** Shows the present state: `lines` on a terminal, `summary` in a log. */
  show(lines: readonly string[], summary: string): void;
  /** Prints something that stays, above what is redrawn. */
  print(text: string): void;
  /** Leaves the last state on the screen, and writes the last summary where nothing is redrawn. */
  end(): void;
}

/** Starts a view; its lines are cut to the width of the terminal. */
export function liveView(): LiveView {
  return Deno.stderr.isTerminal() ? redrawnView() : plainView();
}

function redrawnView(): LiveView {
  let drawn: readonly string[] = [];
  const goBack = () => drawn.length === 0 ? "" : `\x1b[${drawn.length}A\r${CLEAR_TO_END}`;
  const draw = (above: string) =>
    write(goBack() + above + drawn.map((line) => `${line}\n`).join(""));
  return {
    show(lines) {
      const { columns } = Deno.consoleSize();
      const next = lines.map((line) => Array.from(line).slice(0, columns - 1).join(""));
      const back = goBack();
      drawn = next;
      write(back + drawn.map((line) => `${line}\n`).join(""));
    },
    print: (text) => draw(`${text}\n`),
    end: () => drawn = [],
  };
}

function plainView(): LiveView {
  let writtenAt = -Infinity;
  let latest: string | undefined;
  const flush = () => {
    if (latest !== undefined) write(`${latest}\n`);
    latest = undefined;
    writtenAt = performance.now();
  };
  return {
    show(_lines, summary) {
      latest = summary;
      if (performance.now() - writtenAt >= PLAIN_LINE_EVERY_MS) flush();
    },
    print: (text) => write(`${text}\n`),
    end: flush,
  };
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
}
