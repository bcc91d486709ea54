import {
  type NativeConnection,
  Worker,
  type WorkflowBundleWithSourceMap,
} from "@temporalio/worker";
import { type ActivityDeps, createActivities } from "../../activities/create_activities.ts";
import { taskQueue } from "../../domain/ingest_api.ts";

/** What a worker is made of. */
export interface WorkerParts {
  connection: NativeConnection;
  namespace: string;
  /** The inbox whose files it can open. */
  inboxId: string;
  bundle: WorkflowBundleWithSourceMap | { codePath: string };
  deps: ActivityDeps;
  /** Connections of the pool: no more activities at once than can have one. */
  poolSize: number;
  /** How long running activities may go on after a shutdown was asked for, milliseconds. */
  shutdownGraceMs: number;
}

/**
 * Makes a worker for the files of one inbox.
 *
 * @param parts Connections, bundle and settings.
 */
export function createWorker(
  { connection, namespace, inboxId, bundle, deps, poolSize, shutdownGraceMs }: WorkerParts,
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(inboxId),
    identity: deps.worker,
    workflowBundle: bundle,
    activities: createActivities(deps),
    maxConcurrentActivityTaskExecutions: poolSize,
    maxConcurrentLocalActivityExecutions: poolSize,
    // As many as a watcher has in flight by default, and some more: a first task comes with the answer to the start only
    // if one of these is free, and keeps it until the file's turn has come and gone. Otherwise it goes through the server.
    maxConcurrentWorkflowTaskExecutions: 250,
    // A small file's workflow lives for milliseconds; large ones are few.
    maxCachedWorkflows: 300,
    // A task meant for the cache of a worker that was killed goes to another after this time, not after 10 s.
    stickyQueueScheduleToStartTimeout: 1_000,
    // A cancellation travels with the answer to a heartbeat: seen in 0.5 s instead of 5.
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
    shutdownGraceTime: shutdownGraceMs,
    shutdownForceTime: shutdownGraceMs + 5_000,
  });
}
