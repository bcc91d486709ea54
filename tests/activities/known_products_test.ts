import assert from "node:assert/strict";
import fc from "fast-check";
import { type Descriptions, KnownProducts } from "../../activities/statements/known_products.ts";
import { CodedColumn } from "../../domain/accepted_records.ts";
import { DistinctValues } from "../../domain/distinct_values.ts";

interface Product {
  id: string;
  name: string;
  category: string;
  brand: string;
  seenAt: number;
}

const CHAIR: Product = { id: "P-1", name: "Oak chair", category: "home", brand: "Oak", seenAt: 5 };

/** Describes products as batches do that share their values. */
function describer() {
  const shared = FIELDS.map(() => new DistinctValues());
  return (products: readonly Product[]): Descriptions => {
    const [id, name, category, brand] = FIELDS.map((field, index) => {
      const column = new CodedColumn(0, shared[index]);
      for (const product of products) column.push(product[field]);
      return column.codes() as Descriptions["id"];
    });
    return {
      ...{ id: id!, name: name!, category: category!, brand: brand! },
      seenAt: products.map(({ seenAt }) => seenAt),
    };
  };
}

const ascending = (a: number, b: number) => a - b;

const FIELDS = ["id", "name", "category", "brand"] as const;

/** Knows nothing yet; sees products one by one, and says whether it knew their description. */
function knowing() {
  const describe = describer();
  const known = new KnownProducts(describe([]));
  return {
    see: (product: Product) => known.see(describe([product])).length === 0,
    remember: (product: Product) => known.remember(describe([product]), 0),
  };
}

Deno.test({
  name: "KnownProducts.see() tells of what is described anew, by a newer event",
  permissions: "none",
  fn() {
    const { see, remember } = knowing();
    remember(CHAIR);
    assert.equal(see(CHAIR), true);
    for (
      const changes of [
        { name: "Oak chaiR" },
        { name: "Oak chairs" },
        { name: "" },
        { category: "homes" },
        { brand: "oak" },
        { name: "Oak", category: " chairhome" },
        { category: "homeO", brand: "ak" },
        { name: "Oak chai\u0172" },
        { id: "P-2" },
      ]
    ) {
      assert.equal(see({ ...CHAIR, ...changes, seenAt: 6 }), false);
      const isAnother = changes.id !== undefined;
      assert.equal(see({ ...CHAIR, ...changes, seenAt: 5 }), !isAnother);
    }
    // Seen later, it cannot be described by an event before.
    assert.equal(see({ ...CHAIR, seenAt: 9 }), true);
    assert.equal(see({ ...CHAIR, name: "Elm chair", seenAt: 8 }), true);
    remember({ ...CHAIR, name: "Elm chair", seenAt: 8 });
    assert.equal(see({ ...CHAIR, seenAt: 10 }), true);
    remember({ ...CHAIR, name: "Elm chair", seenAt: 11 });
    assert.equal(see({ ...CHAIR, seenAt: 12 }), false);
    assert.equal(see({ ...CHAIR, name: "Elm chair", seenAt: 12 }), true);
  },
});

Deno.test({
  name: "KnownProducts remembers the same as a Map",
  permissions: "none",
  fn() {
    const text = fc.constantFrom("", "a", "ab", "b", "é", "漢字", "🛒", "x".repeat(300));
    const product = fc.record({
      id: fc.oneof(fc.nat(20).map((n) => `P-${n}`), text),
      ...{ name: text, category: text, brand: text, seenAt: fc.nat(20) },
    });
    const pools = fc.array(fc.tuple(fc.boolean(), product), { size: "large" });
    fc.assert(fc.property(pools, (steps) => {
      const { see, remember } = knowing();
      const expected = new Map<string, Product>();
      for (const [isNew, product] of steps) {
        const other = expected.get(product.id);
        if (isNew) {
          remember(product);
          if (other === undefined || product.seenAt > other.seenAt) {
            expected.set(product.id, product);
          }
          continue;
        }
        const isSame = other !== undefined && other.name === product.name &&
          other.category === product.category && other.brand === product.brand;
        const isOlder = other !== undefined && product.seenAt <= other.seenAt;
        assert.equal(see(product), isSame || isOlder);
        if (isSame && !isOlder) expected.set(product.id, product);
      }
    }));
  },
});

Deno.test({
  name:
    "KnownProducts.see() tells of each product the newest row, where that one describes it anew",
  permissions: "none",
  fn() {
    const few = fc.constantFrom("a", "b");
    const product = fc.record({
      ...{ id: fc.nat(4).map((n) => `P-${n}`), name: few, category: few, brand: few },
      seenAt: fc.nat(9),
    });
    const batches = fc.array(fc.array(product, { maxLength: 20 }), { maxLength: 8 });
    fc.assert(fc.property(batches, (batches) => {
      const describe = describer();
      const known = new KnownProducts(describe([]));
      const expected = new Map<string, Product>();
      for (const batch of batches) {
        const products = describe(batch);
        const changed = known.see(products);
        for (const row of changed) known.remember(products, row);

        const newest = new Map<string, number>();
        for (const [row, { id, seenAt }] of batch.entries()) {
          const other = newest.get(id);
          if (other === undefined || seenAt > batch[other]!.seenAt) newest.set(id, row);
        }
        const expectedRows = [...newest].filter(([id, row]) => {
          const before = expected.get(id);
          const { seenAt, ...description } = batch[row]!;
          if (before === undefined) return true;
          if (seenAt <= before.seenAt) return false;
          return FIELDS.some((field) => description[field] !== before[field]);
        }).map(([, row]) => row);
        assert.deepEqual(changed.toSorted(ascending), expectedRows.toSorted(ascending));
        for (const [id, row] of newest) {
          const before = expected.get(id);
          if (before === undefined || batch[row]!.seenAt > before.seenAt) {
            expected.set(id, batch[row]!);
          }
        }
      }
    }));
  },
});

Deno.test({
  name: "KnownProducts cannot tell of values under other codes",
  permissions: "none",
  fn() {
    const describe = describer();
    const known = new KnownProducts(describe([CHAIR]));
    assert.ok(known.canTell(describe([{ ...CHAIR, name: "Elm chair" }])));
    assert.ok(!known.canTell(describer()([CHAIR])));
    assert.ok(!known.canTell({ ...describe([CHAIR]), brand: describer()([CHAIR]).brand }));
  },
});
