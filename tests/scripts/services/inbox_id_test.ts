import assert from "node:assert/strict";
import { join } from "node:path";
import { readInboxId } from "../../../scripts/services/inbox_id.ts";
import { tempDir } from "../../harness.ts";

Deno.test("readInboxId() gives all of many first readers the same id", async () => {
  await using inbox = await tempDir();
  const ids = await Promise.all(Array.from({ length: 20 }, () => readInboxId(inbox.path)));
  assert.equal(new Set(ids).size, 1);
  assert.match(ids[0] ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(await readInboxId(inbox.path), ids[0]);
  const left = (await Array.fromAsync(Deno.readDir(inbox.path))).map(({ name }) => name);
  assert.deepEqual(left, [".clickledger-inbox"]);
});

Deno.test("readInboxId() refuses a file that holds something else", async () => {
  await using inbox = await tempDir();
  await Deno.writeTextFile(join(inbox.path, ".clickledger-inbox"), "");
  await assert.rejects(readInboxId(inbox.path), /Cannot read inbox id from .*: expected a UUID/);
});
