import { type Command, CommanderError } from "commander";
import { ConfigError } from "../config.ts";
import { explainError } from "./explain_error.ts";
import { InterruptedError, UsageError } from "./failures.ts";

/**
 * Runs a command and ends the process: 0 done, 1 failed, 2 wrong usage, 130 interrupted, or what the
 * command put into `Deno.exitCode`. An error is told on stderr without its stack, unless the log level
 * is debug or trace.
 *
 * @param command made by `create_command.ts`, with an action that throws what went wrong
 * @param args without the program, by default those of the process
 */
export async function runTask(command: Command, args: string[] = Deno.args): Promise<never> {
  Deno.exit(await run(command, args));
}

async function run(command: Command, args: string[]): Promise<number> {
  try {
    await command.parseAsync(args, { from: "user" });
    return Deno.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return isAnswer(error) ? 0 : 2;
    console.error(describeError(error));
    if (error instanceof InterruptedError) return 130;
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  }
}

/** `--help` and `--version` end by an error as well; help shown for want of a subcommand is none. */
function isAnswer({ code }: CommanderError): boolean {
  return code === "commander.helpDisplayed" || code === "commander.version";
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isDebugging = ["trace", "debug"].includes(Deno.env.get("CLICKLEDGER_LOG_LEVEL") ?? "");
  return isDebugging ? error.stack ?? error.message : explainError(error);
}
