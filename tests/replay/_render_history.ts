import { Buffer } from "node:buffer";
import type { WorkflowHandle } from "@temporalio/client";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { projectPath } from "../harness.ts";

/** A history as the client fetches it. */
export type History = Awaited<ReturnType<WorkflowHandle["fetchHistory"]>>;

/**
 * A history as JSON that says nothing of the machine it was recorded on.
 *
 * @param folder Directory of the files that the workflow was about.
 */
export function renderHistory(history: History, folder: string): string {
  const replacements = [
    [folder, "/clickledger"],
    [`file://${projectPath()}/`, ""],
    [`${projectPath()}/`, ""],
  ] as const;
  const clean = (text: string) =>
    replacements.reduce((cleaned, [from, to]) => cleaned.replaceAll(from, to), text);
  const json = JSON.parse(historyToJSON(history), (key, value) => {
    if (typeof value !== "string") return value;
    if (key === "identity") return "recorded";
    if (key === "stackTrace") return "";
    if (key !== "data") return clean(value);
    return Buffer.from(clean(Buffer.from(value, "base64").toString())).toString("base64");
  });
  return JSON.stringify(json, null, 2) + "\n";
}
