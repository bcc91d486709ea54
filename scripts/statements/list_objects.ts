import type { Sql } from "../../activities/database.ts";
import type { Cell, Column } from "../cli/print_rows.ts";

/** Every table, view and function of the product that the role may use, with its comment; no partitions. */
export async function listObjects(sql: Sql): Promise<{ columns: Column[]; rows: Cell[][] }> {
  const objects = await sql<{ name: string; kind: string; comment: string | null }[]>`
    select format('%s.%s', n.nspname, c.relname) as name,
           case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
           obj_description(c.oid, 'pg_class') as comment
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('shop', 'ingest') and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
      and (has_table_privilege(c.oid, 'select') or has_any_column_privilege(c.oid, 'select'))
    union all
    select format('%s.%s(%s)', n.nspname, p.proname,
                  replace(pg_get_function_identity_arguments(p.oid), 'timestamp with time zone', 'timestamptz')),
           case p.prokind when 'p' then 'procedure' else 'function' end,
           obj_description(p.oid, 'pg_proc')
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('shop', 'ingest') and has_function_privilege(p.oid, 'execute')
    order by name`;
  return {
    columns: [{ name: "name", maxWidth: 44 }, { name: "kind" }, { name: "comment", maxWidth: 100 }],
    rows: objects.toSorted(byUse).map(({ name, kind, comment }) => [name, kind, comment]),
  };
}

const KINDS = ["function", "view", "table", "procedure"];

/** What people ask is in `shop`: its questions first, then what they are made from. */
function byUse(
  a: { name: string; kind: string },
  b: { name: string; kind: string },
): number {
  const rank = ({ name, kind }: typeof a) =>
    (name.startsWith("shop.") ? 0 : KINDS.length) + KINDS.indexOf(kind);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}
