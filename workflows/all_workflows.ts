/**
 * All workflows of the product: the entry of the bundle.
 *
 * @module
 */
export { ingestFile } from "./ingest_file.ts";
export { generateEvents } from "./generate_events.ts";
