import { listSettings } from "./config.ts";

/**
 * The text of `.env.example`: every setting with its description, commented out at its default.
 *
 * @returns lines for a file that `deno run --env-file` and Docker Compose read
 */
export function renderEnvExample(): string {
  const blocks = listSettings().map(({ meta, default: value }) =>
    [
      ...wrap(`${meta.description} Expected: ${meta.expected}.`, 98).map((line) => `# ${line}`),
      ...(value === undefined && meta.defaultText ? [`# Default: ${meta.defaultText}.`] : []),
      `# ${meta.env}=${value ?? ""}`,
    ].join("\n")
  );
  const head = [
    "# All settings; none is needed. Copy to .env, remove the # before a name to set it, and start",
    "# with `deno task --env-file …` or export the variables. Rendered from scripts/config.ts by",
    "# `deno run -A scripts/write_env_example.ts`; a test compares the two.",
  ].join("\n");
  return [head, ...blocks].join("\n\n") + "\n";
}

/** The settings as the last section of `--help`. */
export function renderSettingsHelp(): string {
  const lines = listSettings().flatMap(({ meta, default: value }) => [
    `  ${meta.env}  (${value ?? meta.defaultText ?? "not set"})`,
    ...wrap(meta.description, 92).map((line) => `      ${line}`),
  ]);
  return ["Settings (environment variables, all optional):", ...lines].join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
