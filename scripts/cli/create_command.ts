import { Command } from "commander";
import { renderSettingsHelp } from "../render_settings.ts";
import { VERSION } from "../version.ts";

/** Where the settings are listed that a command obeys. */
type SettingsHelp = "list" | "point";

/**
 * A command as all tasks are: with `--help` and `--version`, and errors thrown instead of exits.
 *
 * @param name as in `deno task <name>`
 * @param description what it does, in one or two sentences
 * @param options.settings whether `--help` lists all settings or says where they are listed
 * @param options.examples lines of `command   what it does`, shown at the end of `--help`
 */
export function createCommand(
  name: string,
  description: string,
  { settings = "point", examples = [] }: { settings?: SettingsHelp; examples?: string[] } = {},
): Command {
  const command = new Command(`deno task ${name}`)
    .description(description)
    .version(VERSION, "--version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .exitOverride()
    // They guess by letters alone, and name options that have nothing to do with what was meant.
    .showSuggestionAfterError(false)
    .configureHelp({ helpWidth: 100 })
    .configureOutput({
      outputError: (text, write) => write(`${restate(text)}; see \`deno task ${name} --help\`\n`),
    });
  if (examples.length > 0) {
    command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
  }
  const pointer = "Settings are environment variables: `deno task dev --help` lists them.";
  return command.addHelpText("after", `\n${settings === "list" ? renderSettingsHelp() : pointer}`);
}

/** The parser's errors worded as ours are: what cannot be done, colon, state, on one line. */
function restate(text: string): string {
  const clause = text.trim().replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  return `Cannot run: ${
    clause
      .replace(/ is invalid\. /, " is invalid: ")
      .replace("Allowed choices are ", "expected one of ")
      .replace(/\. Expected (.+ but got \d+): (.*?)\.?$/, ": expected $1 ($2)")
      .replace(/\.$/, "")
  }`;
}
