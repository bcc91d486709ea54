import { defineSearchAttributeKey } from "@temporalio/common";

/** Search attributes of an ingestion, in the field's types; `dev` and `migrate` register them. */
export const SEARCH_ATTRIBUTES = {
  Feed: "KEYWORD",
  FileName: "KEYWORD",
  FileState: "KEYWORD",
  Rejected: "INT",
  RowCount: "INT",
} as const;

/** Typed keys of {@linkcode SEARCH_ATTRIBUTES}. */
export const FEED = defineSearchAttributeKey("Feed", "KEYWORD");
/** Name under which the file landed, at most 255 characters. */
export const FILE_NAME = defineSearchAttributeKey("FileName", "KEYWORD");
/** State of the file in the ledger. */
export const FILE_STATE = defineSearchAttributeKey("FileState", "KEYWORD");
/** Records that broke the contract. */
export const REJECTED = defineSearchAttributeKey("Rejected", "INT");
/** Records of the file. */
export const ROW_COUNT = defineSearchAttributeKey("RowCount", "INT");
