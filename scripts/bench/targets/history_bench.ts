import { Client } from "@temporalio/client";
import { NativeConnection } from "@temporalio/worker";
import { loadFiles } from "../load_files.ts";
import type { TargetBench } from "../target.ts";

const FILES = 10;
const ROWS_PER_FILE = 100;

/** What a small file writes into its workflow's history: the server's work and disk are made of that. */
export const HISTORY: TargetBench = {
  name: "history",
  rows: [{
    what: "history events per small file, the most of ten",
    rival: null,
    unit: "events",
    target: { atMost: 11, aim: 6 },
  }],
  async measure(stage) {
    const paths = await stage.inputs.small({ files: FILES, rows: ROWS_PER_FILE });
    await using database = await stage.database();
    await using subject = await stage.subject(database);
    for (const path of paths) await loadFiles(database, subject, [path]);
    const files = await database.sql<{ id: string }[]>`
      select workflow_id as id from ingest.files`;
    return [{
      ours: await mostEvents(stage.services.temporalAddress, files.map(({ id }) => id)),
    }];
  },
};

async function mostEvents(address: string, workflowIds: string[]): Promise<number> {
  const connection = await NativeConnection.connect({ address });
  try {
    const { workflow } = new Client({ connection });
    const lengths = workflowIds.map(async (id) => {
      const handle = workflow.getHandle(id);
      await handle.result();
      return (await handle.describe()).historyLength;
    });
    return Math.max(...await Promise.all(lengths));
  } finally {
    await connection.close();
  }
}
