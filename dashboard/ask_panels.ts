import type { Sql } from "../activities/database.ts";
import { bindQuery, type BoundQuery, type Parameter } from "./bind_query.ts";
import { type Filters, intervalOf } from "./filters.ts";
import { CHOICES, FILE_PANELS, type Panel, PANELS } from "./panels.ts";

/** An answer of one panel: the rows, and the query that gave them. */
export interface PanelAnswer {
  readonly sql: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** All that the page shows at one moment. */
export interface Board {
  /** When it was asked, RFC 3339. */
  readonly at: string;
  readonly from: string;
  readonly to: string;
  /** Length of the pieces that periods are cut into. */
  readonly width: string;
  readonly panels: Readonly<Record<string, PanelAnswer>>;
  /** Values that filters can take. */
  readonly choices: Readonly<Record<string, readonly string[]>>;
}

const MINUTE_MS = 60_000;
/** Answers by query; there are as many as people ask for. */
const MOST_KEPT = 100;

/** Asks why a file is as it is: the ledger's row, its stages, chunks and faults. */
export async function askFile(sql: Sql, file: string): Promise<Record<string, PanelAnswer>> {
  const answers = await Promise.all(FILE_PANELS.map(async (panel) => {
    return [panel.id, await ask(sql, bindQuery(panel.sql, { file }))] as const;
  }));
  return Object.fromEntries(answers);
}

/** Makes a function that asks all panels; it keeps the answers that need not be asked each time. */
export function createBoard(sql: Sql): (filters: Filters) => Promise<Board> {
  const kept = new Map<string, { until: number; answer: Promise<PanelAnswer> }>();

  function answer(panel: Panel, parameters: Record<string, Parameter>): Promise<PanelAnswer> {
    if (panel.keptMs === undefined) return ask(sql, bindQuery(panel.sql, parameters));
    // To the minute, so that periods that end now share their answers.
    const to = new Date(Math.ceil((parameters.to as Date).getTime() / MINUTE_MS) * MINUTE_MS);
    const bound = bindQuery(panel.sql, { ...parameters, to });
    const known = kept.get(bound.shown);
    if (known !== undefined && known.until > Date.now()) return known.answer;
    if (kept.size >= MOST_KEPT) kept.clear();
    const asked = ask(sql, bound);
    kept.set(bound.shown, { until: Date.now() + panel.keptMs, answer: asked });
    asked.catch(() => kept.delete(bound.shown));
    return asked;
  }

  async function all(panels: readonly Panel[], parameters: Record<string, Parameter>) {
    const answers = await Promise.all(
      panels.map(async (panel) => [panel.id, await answer(panel, parameters)] as const),
    );
    return Object.fromEntries(answers);
  }

  return async (filters) => {
    const width = intervalOf(filters);
    const parameters = { ...filters, width };
    const [panels, choices] = await Promise.all([
      all(PANELS, parameters),
      all(CHOICES, parameters),
    ]);
    return {
      at: new Date().toISOString(),
      from: filters.from.toISOString(),
      to: filters.to.toISOString(),
      width,
      panels,
      choices: Object.fromEntries(
        Object.entries(choices).map(([id, { rows }]) => [id, rows.map(({ name }) => String(name))]),
      ),
    };
  };
}

async function ask(sql: Sql, { text, values, shown }: BoundQuery): Promise<PanelAnswer> {
  return { sql: shown, rows: [...await sql.unsafe(text, [...values])] };
}
