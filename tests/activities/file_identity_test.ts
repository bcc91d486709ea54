import assert from "node:assert/strict";
import { identityOf, readIdentity, sameVersion } from "../../activities/file_identity.ts";
import { knownIdentities } from "../../activities/statements/known_identities.ts";
import { csv, events } from "./_events.ts";
import { ingest } from "./_ingest.ts";
import { jobOf, warehouse } from "./_warehouse.ts";

const TIMES = { size: 10, mtimeMs: 1, ctimeMs: 1 };

Deno.test("identityOf() gives inode numbers that a number and the ledger hold exactly", () => {
  for (const ino of [2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 63 + 2 ** 12, 2 ** 64 - 2 ** 11]) {
    const identity = identityOf("/inbox/a.csv", { ino, ...TIMES });
    assert.ok(Number.isSafeInteger(identity.ino) && identity.ino >= 0, `${ino}: ${identity.ino}`);
    assert.ok(sameVersion(identity, identityOf("/inbox/a.csv", { ino, ...TIMES })));
    const other = identityOf("/inbox/a.csv", { ino: ino - 2 ** 12, ...TIMES });
    assert.ok(!sameVersion(identity, other));
  }
  assert.equal(identityOf("/inbox/a.csv", { ino: 4711, ...TIMES }).ino, 4711);
});

Deno.test("identityOf() of a file with an inode number of 64 bits is known once it is loaded", async () => {
  await using house = await warehouse();
  const path = await house.land("a.csv", csv(events(0, 5)));
  const seen = await readIdentity(path);
  assert.ok(seen);
  const { sizeBytes: size, mtimeMs, ctimeMs } = seen.identity;
  const identity = identityOf(path, { ino: 2 ** 64 - 2 ** 11, size, mtimeMs, ctimeMs });
  // There is no such inode here: the file is taken for another version, but its row is written.
  const result = await ingest(house, jobOf(house.inboxId, identity));
  assert.deepEqual([result.state, result.errorCode], ["failed", "changed"]);
  const known = await knownIdentities(house.deps.sql, house.inboxId, [{ identity, isFile: true }]);
  assert.deepEqual(known, [true]);
});
