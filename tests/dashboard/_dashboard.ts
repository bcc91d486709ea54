import { type Dashboard, startDashboard } from "../../dashboard/start_dashboard.ts";
import { findFreePort } from "../../scripts/services/require_free_port.ts";
import { csv, event, type TestEvent } from "../activities/_events.ts";
import { ingest } from "../activities/_ingest.ts";
import { type Warehouse, warehouse } from "../activities/_warehouse.ts";
import { announceChanges } from "../../activities/announce_changes.ts";

/** A warehouse with a dashboard on it, whose loads are announced as a worker's are. */
export interface Shown extends AsyncDisposable {
  readonly house: Warehouse;
  readonly dashboard: Dashboard;
}

/** Opens the dashboard of an empty warehouse. */
export async function showWarehouse(): Promise<Shown> {
  const parts = new AsyncDisposableStack();
  const house = parts.use(await warehouse());
  house.deps.onChange = announceChanges(house.deps.sql);
  const dashboard = parts.use(startDashboard({
    databaseUrl: house.url,
    port: findFreePort(),
    namespace: "default",
    webUiUrl: "http://127.0.0.1:1",
    waiting: () => 3,
  }));
  return { house, dashboard, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** `n` minutes before now, as a cell. */
export function minutesAgo(n: number): string {
  return new Date(Date.now() - n * 60_000).toISOString();
}

/** Lands events of the last minutes, with a bad record, a duplicate and a file that cannot be loaded. */
export async function fill(house: Warehouse): Promise<void> {
  const rows: TestEvent[] = Array.from({ length: 40 }, (_, n) =>
    event(n, {
      event_time: minutesAgo(n),
      product_id: `P-${n % 4}`,
      product_name: `Chair ${n % 4}`,
      category: n % 2 === 0 ? "home.chairs" : "",
      device: n % 3 === 0 ? "desktop" : "mobile",
      price: "10.50",
      ...(n === 20 && { currency: "USD" }),
    }));
  await ingest(
    house,
    await house.land("a.csv", csv([...rows, event(99, { price: "x" }), rows[0]!])),
  );
  await ingest(house, await house.land("broken.csv", "a,b\n1,2\n"));
}
