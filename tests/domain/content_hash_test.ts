import assert from "node:assert/strict";
import fc from "fast-check";
import { contentHash } from "../../domain/content_hash.ts";
import { cells, csvLine, PURCHASE, readText, VIEW } from "./_shop_event.ts";

Deno.test({
  name: "contentHash() never changes",
  permissions: "none",
  fn() {
    const golden: [values: (string | null)[], hash: string][] = [
      [[], "-7727276857821104949"],
      [[""], "-2818366376054963914"],
      [[null], "4028487254941882792"],
      [["a"], "-8909496739260703827"],
      [["ab", "c"], "-1616630923104303340"],
      [["a", "bc"], "-4821650998859122218"],
      [["Café", "😀", null], "-1789232667048729193"],
      [cells(PURCHASE), "-4482461196476537135"],
    ];
    for (const [values, hash] of golden) assert.equal(contentHash(values), hash);
  },
});

Deno.test({
  name: "contentHash() tells different values apart",
  permissions: "none",
  fn() {
    const values = fc.array(
      fc.option(fc.string({ unit: "binary", maxLength: 6 }), { freq: 4 }),
      { maxLength: 4 },
    );
    fc.assert(fc.property(values, values, (left, right) => {
      const same = JSON.stringify(left) === JSON.stringify(right);
      assert.equal(contentHash(left) === contentHash(right), same);
    }));
  },
});

Deno.test({
  name: "contentHash() gives a signed 64-bit number",
  permissions: "none",
  fn() {
    fc.assert(fc.property(fc.array(fc.string()), (values) => {
      const hash = contentHash(values);
      assert.equal(BigInt.asIntN(64, BigInt(hash)).toString(), hash);
    }));
  },
});

Deno.test({
  name: "contentHash() spreads similar values over all bits",
  permissions: "none",
  fn() {
    const count = 65_536;
    const seen = new Set<string>();
    const buckets = [0n, 16n, 32n, 48n].map((shift) => ({ shift, filled: new Set<bigint>() }));
    let flipped = 0;
    let previous = 0n;
    for (let index = 0; index < count; index++) {
      const text = contentHash([`u-${index}`, "1"]);
      const hash = BigInt.asUintN(64, BigInt(text));
      seen.add(text);
      for (const { shift, filled } of buckets) filled.add((hash >> shift) & 0xffffn);
      flipped += (hash ^ previous).toString(2).replaceAll("0", "").length;
      previous = hash;
    }
    assert.equal(seen.size, count);
    // n balls in n buckets fill (1 - 1/e) of them, give or take 5 standard deviations.
    for (const { filled } of buckets) assert.ok(Math.abs(filled.size - 0.63212 * count) < 400);
    assert.ok(Math.abs(flipped / count - 32) < 0.1, `${flipped / count} of 64 bits flip`);
  },
});

Deno.test({
  name: "contentHash() is equal for equal events written differently",
  permissions: "none",
  fn() {
    const spellings = [
      {},
      { event_time: "2026-01-30T08:15:30.250Z" },
      { event_time: "2026-01-30 09:15:30.25+01:00" },
      { price: "129.9" },
      { price: "0129.90" },
      { event_id: PURCHASE.event_id!.toUpperCase() },
      { event_type: "PURCHASE", currency: "eur", device: "phone", country: "de" },
    ];
    const text = spellings.map((change) => csvLine(cells({ ...PURCHASE, ...change }))).join("");
    const { accepted } = readText(text);
    assert.equal(accepted.lines.length, spellings.length);
    const hashes = Array.from(accepted.lines, (_, row) => accepted.contentHashes.at(row));
    assert.equal(new Set(hashes).size, 1);
    const view = readText(csvLine(cells(VIEW))).accepted.contentHashes.at(0);
    assert.notEqual(view, hashes[0]);
  },
});
