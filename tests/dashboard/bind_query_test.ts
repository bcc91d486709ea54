import assert from "node:assert/strict";
import { bindQuery } from "../../dashboard/bind_query.ts";

Deno.test("bindQuery() sends values apart, and shows them in place", () => {
  const bound = bindQuery("select :a::text, :b::int, :a where x = :c", {
    a: "O'Hara; drop table x",
    b: null,
    c: new Date("2026-01-02T03:04:05Z"),
  });
  assert.equal(bound.text, "select $1::text, $2::int, $1 where x = $3");
  assert.deepEqual(bound.values, ["O'Hara; drop table x", null, new Date("2026-01-02T03:04:05Z")]);
  assert.equal(
    bound.shown,
    "select 'O''Hara; drop table x'::text, null::int, 'O''Hara; drop table x' where x = '2026-01-02T03:04:05.000Z'",
  );
});

Deno.test("bindQuery() refuses a parameter without value", () => {
  assert.throws(() => bindQuery("select :missing", {}), /parameter missing has no value/);
});
