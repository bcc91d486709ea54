import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ChunkText } from "../../domain/_chunk_text.ts";
import { defineContract } from "../../domain/contract.ts";
import { knownFieldsOf } from "../../domain/_known_fields.ts";
import { SHOP_EVENTS } from "../../domain/shop_events.ts";
import { codeOf } from "../../domain/_value_table.ts";

Deno.test({
  name: "knownFieldsOf() begins anew with the chunk after too many values",
  permissions: "none",
  fn() {
    const contract = defineContract(SHOP_EVENTS);
    const brand = contract.columns.findIndex(({ name }) => name === "brand");
    const known = knownFieldsOf(contract);
    const find = (value: string) => {
      const bytes = Buffer.from(value);
      const text = new ChunkText(bytes);
      return codeOf(known.values[brand]!.find(text, 0, bytes.length, 0x7f));
    };
    for (let value = 0; value < 100_000; value++) assert.equal(find(`B${value}`), value);
    assert.equal(knownFieldsOf(contract), known);
    assert.equal(find("Oak"), 100_000);
    assert.equal(find("B7"), 7, "whoever has it goes on with it");
    assert.notEqual(knownFieldsOf(contract), known);
    assert.notEqual(knownFieldsOf(defineContract(SHOP_EVENTS)), knownFieldsOf(contract));
  },
});

Deno.test({
  name: "knownFieldsOf() forgets runs of fields by themselves",
  permissions: "none",
  fn() {
    const contract = defineContract(SHOP_EVENTS);
    const known = knownFieldsOf(contract);
    const runs = known.runsOf(",", 5, 7);
    assert.equal(known.runsOf(",", 5, 7), runs);
    for (
      const other of [known.runsOf(";", 5, 7), known.runsOf(",", 6, 7), known.runsOf(",", 5, 6)]
    ) {
      assert.notEqual(other, runs);
    }
    const long = new Uint8Array(5 * 1024 * 1024);
    runs.add({ bytes: long, from: 0, to: long.length, mark: 0 }, new Int32Array(7));
    assert.notEqual(known.runsOf(",", 5, 7), runs);
    assert.equal(knownFieldsOf(contract), known);
  },
});
