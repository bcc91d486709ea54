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
    .showSuggestionAfterError()
    .configureHelp({ helpWidth: 100 })
    .configureOutput({
      outputError: (text, write) =>
        write(
          `${
            text.replace(/^error: /, "Cannot run: ").trimEnd()
          }; see \`deno task ${name} --help\`\n`,
        ),
    });
  if (examples.length > 0) {
    command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`);
  }
  const pointer = "Settings are environment variables: `deno task dev --help` lists them.";
  return command.addHelpText("after", `\n${settings === "list" ? renderSettingsHelp() : pointer}`);
}
