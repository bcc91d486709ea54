import type { RecordFaultCode } from "../faults.ts";

/** A value that a column of `shop_events` does not take. */
export interface BadValue {
  readonly column: string;
  readonly value: string;
  readonly code: RecordFaultCode;
}

function bad(column: string, value: string, code: RecordFaultCode): BadValue {
  return { column, value, code };
}

/** Wrong values whatever the event's type, each with the fault that it is rejected for. */
const ALWAYS_BAD: readonly BadValue[] = [
  bad("event_id", "", "missing_value"),
  bad("event_id", "not-a-uuid", "invalid_uuid"),
  bad("event_time", "01/02/2026 10:00", "invalid_timestamp"),
  bad("event_time", "2026-02-30T10:00:00Z", "invalid_timestamp"),
  bad("event_time", "2026-01-01T10:00:00", "invalid_timestamp"),
  bad("event_time", "1999-12-31T23:59:59Z", "out_of_range"),
  bad("event_time", "9000-01-01T00:00:00Z", "out_of_range"),
  bad("event_type", "click", "unknown_value"),
  bad("user_id", "", "missing_value"),
  bad("user_id", "u".repeat(65), "too_long"),
  bad("session_id", "12345", "invalid_uuid"),
  bad("product_id", "9".repeat(65), "too_long"),
  bad("product_name", "", "missing_value"),
  bad("product_name", "Bell\u0007", "control_character"),
  bad("category", "c".repeat(201), "too_long"),
  bad("brand", "b".repeat(101), "too_long"),
  bad("price", "", "missing_value"),
  bad("price", "12,50", "invalid_number"),
  bad("price", "$12.50", "invalid_number"),
  bad("price", "-1.00", "out_of_range"),
  bad("currency", "Q$D", "unknown_value"),
  bad("quantity", "one", "invalid_number"),
  bad("quantity", "0", "out_of_range"),
  bad("order_id", "order 7", "invalid_uuid"),
  bad("device", "fridge", "unknown_value"),
  bad("country", "Atlantis", "unknown_value"),
];

const ANY_UUID = "3f0c8a52-6f0e-4b59-9d3c-2a1b7c9d8e4f";

/**
 * Values that make an event of this type be rejected, at least one for each column of the contract.
 * Each list has the same length.
 */
export function badValues(eventType: string): readonly BadValue[] {
  return eventType === "purchase"
    ? [...ALWAYS_BAD, bad("order_id", "", "purchase_without_order")]
    : [...ALWAYS_BAD, bad("order_id", ANY_UUID, "order_without_purchase")];
}
