import { fileNameOf } from "../../domain/file_name_of.ts";
import { type Client, WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { describeIngestion } from "../../domain/describe_ingestion.ts";
import { type IngestFileInput, taskQueue } from "../../domain/ingest_api.ts";
import { FEED, FILE_NAME, FILE_STATE } from "../../domain/search_attributes.ts";
import { ingestWorkflowId } from "../../domain/workflow_ids.ts";
import type { ingestFile } from "../../workflows/ingest_file.ts";

/** Longest value of a keyword search attribute that every server takes, characters. */
const MAX_KEYWORD_LENGTH = 255;
/** A server that does not answer within this time counts as away. */
const START_DEADLINE_MS = 5_000;

/** Answer of {@linkcode startIngestion}. */
export interface StartedIngestion {
  workflowId: string;
  /** Whether it runs now, whoever started it; false when a run under this id is complete already. */
  started: boolean;
  /** Whether its first task was handed to a worker of this process along with the answer. */
  startedEagerly: boolean;
}

/**
 * Starts the workflow of a file; one that runs already under the same id is left running.
 *
 * @param client Client of the namespace.
 * @param options.input Which file; its settings say whether the server knows our search attributes.
 * @param options.workflowId Id of an operation, or the one that the ledger has; by default that of the file's identity.
 * @param options.again Starts it also when a run under this id is complete: for operations, and for a row that the
 * ledger knows to be unfinished. By default only when the run before has failed.
 * @param options.eager Hands the first task to a worker of this process; the client must share its native connection.
 * @param options.workflowTaskTimeoutMs A task not answered for this long is given to another worker.
 * @throws What the client throws when the server is away or refuses.
 */
export async function startIngestion(
  client: Client,
  {
    input,
    workflowId = ingestWorkflowId(input.inboxId, input.identity),
    again = false,
    eager,
    workflowTaskTimeoutMs,
  }: {
    input: IngestFileInput;
    workflowId?: string;
    again?: boolean;
    eager: boolean;
    workflowTaskTimeoutMs: number;
  },
): Promise<StartedIngestion> {
  const { summary, details } = describeIngestion(input);
  const { path } = input.identity;
  const fileName = fileNameOf(path);
  try {
    const { eagerlyStarted } = await client.connection.withDeadline(
      Date.now() + START_DEADLINE_MS,
      () =>
        client.workflow.start<typeof ingestFile>("ingestFile", {
          workflowId,
          taskQueue: taskQueue(input.inboxId),
          args: [input],
          workflowIdReusePolicy: again ? "ALLOW_DUPLICATE" : "ALLOW_DUPLICATE_FAILED_ONLY",
          workflowIdConflictPolicy: "USE_EXISTING",
          requestEagerStart: eager,
          workflowTaskTimeout: workflowTaskTimeoutMs,
          staticSummary: summary,
          staticDetails: details,
          ...(input.settings.searchAttributes && {
            typedSearchAttributes: [
              { key: FEED, value: input.feed },
              { key: FILE_NAME, value: Array.from(fileName).slice(0, MAX_KEYWORD_LENGTH).join("") },
              { key: FILE_STATE, value: "loading" },
            ],
          }),
        }),
    );
    return { workflowId, started: true, startedEagerly: eagerlyStarted };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return { workflowId, started: false, startedEagerly: false };
    }
    throw error;
  }
}
