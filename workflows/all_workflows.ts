/**
 * All workflows of the product: the entry of the bundle.
 *
 * @module
 */
export { ingestFile } from "./ingest_file.ts";
export { replayRejects } from "./replay_rejects.ts";
export { generateEvents } from "./generate_events.ts";
