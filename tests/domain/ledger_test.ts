import assert from "node:assert/strict";
import { archiveName, givenBackName } from "../../domain/ledger.ts";

Deno.test({
  name: "archiveName() fits a file system, whatever the name was",
  permissions: "none",
  fn() {
    for (const character of ["x", "é", "日", "😀"]) {
      const length = Math.floor(250 / new TextEncoder().encode(character).length);
      const name = archiveName(`${character.repeat(length)}.csv.gz`, 1_234_567);
      assert.ok(new TextEncoder().encode(`.${name}.part`).length <= 255);
      assert.ok(name.isWellFormed());
      assert.ok(name.endsWith(`${character}.1234567.csv.gz`));
    }
  },
});

Deno.test({
  name: "givenBackName() keeps the extension of a name of several lines",
  permissions: "none",
  fn: () => assert.equal(givenBackName("new\nline.csv", 7), "new\nline~7.csv"),
});
