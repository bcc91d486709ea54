import type postgres from "postgres";

/**
 * The schemas `ingest` and `shop` as text: every object with its definition, rights and comment, in a fixed order, the
 * same from every database at the same migration. Partitions of months are left out.
 */
export async function describeSchema(sql: postgres.Sql): Promise<string> {
  const parts = await sql.unsafe<{ text: string }[]>(`
    with relations as (
      select c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) as name, c.relacl, c.relowner
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('ingest', 'shop') and c.relkind in ('r', 'p', 'v') and not c.relispartition
    ),
    objects as (
      select 1 as part, format('%s', t.oid::regtype) as name, 0 as position,
             format('type %s as enum (%s)', t.oid::regtype,
                    (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
                     from pg_enum e where e.enumtypid = t.oid)) as definition,
             obj_description(t.oid, 'pg_type') as comment
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where n.nspname in ('ingest', 'shop') and t.typtype = 'e'
      union all
      select 2, r.name, 0, case r.relkind when 'v' then 'view ' else 'table ' end || r.name ||
             case r.relkind when 'v' then E' as\\n' || pg_get_viewdef(r.oid)
                            when 'p' then ' partition by ' || pg_get_partkeydef(r.oid) else '' end,
             obj_description(r.oid, 'pg_class')
      from relations r
      union all
      select 2, r.name, a.attnum,
             format('column %s.%I %s%s%s', r.name, a.attname, format_type(a.atttypid, a.atttypmod),
                    case when a.attnotnull then ' not null' else '' end,
                    coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')),
             col_description(r.oid, a.attnum)
      from relations r
      join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
      union all
      select 2, r.name, 2000,
             format('constraint %I on %s %s', c.conname, r.name, pg_get_constraintdef(c.oid)), null
      from relations r join pg_constraint c on c.conrelid = r.oid and c.contype <> 'n'
      union all
      select 2, r.name, 3000, pg_get_indexdef(i.indexrelid), obj_description(i.indexrelid, 'pg_class')
      from relations r join pg_index i on i.indrelid = r.oid
      union all
      select 2, r.name, 4000, format('grant %s on %s to %s', string_agg(x.privilege_type, ', ' order by x.privilege_type),
             r.name, x.grantee::regrole), null
      from relations r, aclexplode(r.relacl) x
      where x.grantee <> r.relowner
      group by r.name, x.grantee
      union all
      select 2, r.name, 5000, format('grant %s (%s) on %s to %s', x.privilege_type,
             string_agg(a.attname, ', ' order by a.attnum), r.name, x.grantee::regrole), null
      from relations r join pg_attribute a on a.attrelid = r.oid, aclexplode(a.attacl) x
      group by r.name, x.privilege_type, x.grantee
      union all
      select 3, p.oid::regprocedure::text, 0, pg_get_functiondef(p.oid),
             obj_description(p.oid, 'pg_proc')
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('ingest', 'shop')
      union all
      select 3, p.oid::regprocedure::text, 1, format('grant execute on %s to %s', p.oid::regprocedure, x.grantee::regrole), null
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace, aclexplode(p.proacl) x
      where n.nspname in ('ingest', 'shop') and x.grantee <> p.proowner
    )
    select trim(trailing E' ;\\n' from o.definition) || ';' ||
           coalesce(E'\\n-- ' || replace(o.comment, E'\\n', E'\\n-- '), '') as text
    from objects o
    order by o.part, o.name collate "C", o.position, o.definition collate "C"`);
  return `-- Written by \`deno run -A tests/sql/write_schema_snapshot.ts\`: the schema after all migrations.\n\n${
    parts.map(({ text }) => text).join("\n\n")
  }\n`;
}
