import type { Pipeline, Roles } from "../services/start_pipeline.ts";
import { shortPath } from "./short_path.ts";

/**
 * What a person wants to know when the pipeline is up.
 *
 * @param options.seconds how long the start took
 */
export function describeReady(
  { run, inboxId }: Pick<Pipeline, "run" | "inboxId">,
  { roles, seconds }: { roles: Roles; seconds: number },
): string {
  const { inbox, webUiUrl, dashboardUrl, temporalAddress } = run;
  const shown = shortPath(inbox);
  const lines = [
    ["Inbox", roles.watch ? `${shown}   (id ${inboxId})` : `id ${inboxId}, not watched here`],
    ["Web UI", webUiUrl ?? `none started here; Temporal is ${temporalAddress}`],
    ...(dashboardUrl === undefined ? [] : [["Dashboard", dashboardUrl]]),
    ...(roles.watch
      ? [
        ["Drop a file", `cp events.csv ${shown}/`],
        ["", "or: deno task ingest events.csv"],
        ["Make events", "deno task generate"],
      ]
      : []),
    ["Ask", 'deno task sql "select count(*) from shop.events"'],
    ["Stop", "Ctrl-C"],
  ];
  const width = Math.max(...lines.map(([name]) => name!.length));
  return [
    `Ready in ${seconds.toFixed(1)} s`,
    ...lines.map(([name, text]) => `  ${name!.padEnd(width)}  ${text}`),
  ].join("\n");
}
