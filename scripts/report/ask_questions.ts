import type { Sql } from "../../activities/database.ts";
import type { Answer, ReportQuestion, Row } from "./report_question.ts";
import type { ReportWindow } from "./report_window.ts";

/** Runs the queries of some questions one after the other, as reader. */
export async function askQuestions(
  sql: Sql,
  questions: readonly ReportQuestion[],
  window: ReportWindow,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const question of questions) {
    const query = question.query(window);
    const rows: readonly Row[] = [...await sql.unsafe<Row[]>(query)];
    answers.push({ question, query, rows, headline: question.headline(rows, window) });
  }
  return answers;
}

/** The currency in which most was sold in a period; null where nothing was. */
export async function mainCurrency(
  sql: Sql,
  { from, to }: Pick<ReportWindow, "from" | "to">,
): Promise<{ currency: string | null; others: string[] }> {
  const rows = await sql<{ currency: string }[]>`
    select r.currency from shop.minute_rollup r
    where r.minute >= ${from} and r.minute < ${to} and r.event_type = 'purchase'
    group by r.currency order by sum(r.events) desc, r.currency`;
  const [main = null, ...others] = rows.map(({ currency }) => currency);
  return { currency: main, others };
}
