import assert from "node:assert/strict";
import fc from "fast-check";
import { type Descriptions, KnownProducts } from "../../activities/statements/known_products.ts";
import { CodedColumn } from "../../domain/accepted_records.ts";

interface Product {
  id: string;
  name: string;
  category: string;
  brand: string;
  seenAt: number;
}

const CHAIR: Product = { id: "P-1", name: "Oak chair", category: "home", brand: "Oak", seenAt: 5 };

function describe(products: readonly Product[]): Descriptions {
  const column = (name: "id" | "name" | "category" | "brand") => {
    const values = new CodedColumn(0);
    for (const product of products) values.push(product[name]);
    return values.codes() as Descriptions["id"];
  };
  return {
    id: column("id"),
    name: column("name"),
    category: column("category"),
    brand: column("brand"),
    seenAt: products.map(({ seenAt }) => seenAt),
  };
}

function see(known: KnownProducts, product: Product): boolean {
  return known.see(describe([product]), 0);
}

function remember(known: KnownProducts, product: Product): void {
  known.remember(describe([product]), 0);
}

/** So many ids of one hash: "Aa" and "BB" have the same. */
function colliding(count: number): string[] {
  return Array.from(
    { length: count },
    (_, n) => n.toString(2).padStart(10, "0").replaceAll("0", "Aa").replaceAll("1", "BB"),
  );
}

Deno.test({
  name: "KnownProducts.see() is false for what is described anew, by a newer event",
  permissions: "none",
  fn() {
    const known = new KnownProducts();
    remember(known, CHAIR);
    assert.equal(see(known, CHAIR), true);
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
      assert.equal(see(known, { ...CHAIR, ...changes, seenAt: 6 }), false);
      const isAnother = changes.id !== undefined;
      assert.equal(see(known, { ...CHAIR, ...changes, seenAt: 5 }), !isAnother);
    }
    // Seen later, it cannot be described by an event before.
    assert.equal(see(known, { ...CHAIR, seenAt: 9 }), true);
    assert.equal(see(known, { ...CHAIR, name: "Elm chair", seenAt: 8 }), true);
    remember(known, { ...CHAIR, name: "Elm chair", seenAt: 8 });
    assert.equal(see(known, { ...CHAIR, seenAt: 10 }), true);
    remember(known, { ...CHAIR, name: "Elm chair", seenAt: 11 });
    assert.equal(see(known, { ...CHAIR, seenAt: 12 }), false);
    assert.equal(see(known, { ...CHAIR, name: "Elm chair", seenAt: 12 }), true);
    assert.equal(known.size, 2);
  },
});

Deno.test({
  name: "KnownProducts remembers the same as a Map",
  permissions: "none",
  fn() {
    const text = fc.constantFrom("", "a", "ab", "b", "é", "漢字", "🛒", "x".repeat(300));
    const product = fc.record({
      id: fc.oneof(fc.constantFrom(...colliding(40)), fc.integer().map((n) => `P-${n}`), text),
      ...{ name: text, category: text, brand: text, seenAt: fc.nat(20) },
    });
    const pools = fc.array(fc.tuple(fc.boolean(), product), { size: "large" });
    fc.assert(fc.property(pools, (steps) => {
      const known = new KnownProducts();
      const expected = new Map<string, Product>();
      for (const [isNew, product] of steps) {
        const other = expected.get(product.id);
        if (isNew) {
          remember(known, product);
          if (other === undefined || product.seenAt > other.seenAt) {
            expected.set(product.id, product);
          }
          continue;
        }
        const isSame = other !== undefined && other.name === product.name &&
          other.category === product.category && other.brand === product.brand;
        const isOlder = other !== undefined && product.seenAt <= other.seenAt;
        assert.equal(see(known, product), isSame || isOlder);
        if (isSame && !isOlder) expected.set(product.id, product);
      }
    }));
  },
});

Deno.test({
  name: "KnownProducts finds all of many, and forgets at most some that have one hash",
  permissions: "none",
  fn() {
    const known = new KnownProducts();
    const products = Array.from({ length: 20_000 }, (_, n) => ({
      ...{ ...CHAIR, id: `P-${n}`, name: `${n} é`.repeat(n % 7) },
    }));
    const all = describe(products);
    products.forEach((_, row) => known.remember(all, row));
    const later = describe(products.map((product) => ({ ...product, seenAt: 6 })));
    products.forEach((_, row) => assert.ok(known.see(later, row)));
    assert.equal(known.size, products.length);

    const met = describe(colliding(1000).map((id) => ({ ...CHAIR, id })));
    const isKnown = () => met.id.values.map((_, row) => known.see(met, row));
    assert.ok(!isKnown().includes(true));
    met.id.values.forEach((_, row) => known.remember(met, row));
    const found = isKnown().filter((isFound) => isFound).length;
    assert.ok(found > 100 && found < 1000, `${found} were found`);
    assert.equal(known.size, products.length + found);
  },
});
