import assert from "node:assert/strict";
import { join } from "node:path";
import { HomeLockedError, lockHome } from "../../../scripts/services/lock_home.ts";
import { tempDir } from "../../harness.ts";

Deno.test("lockHome() lets one in, and tells the next who that is and what to do", async () => {
  await using home = await tempDir();
  {
    using _lock = await lockHome(home.path);
    await assert.rejects(lockHome(home.path), (error) => {
      assert.ok(error instanceof HomeLockedError);
      assert.equal(error.pid, Deno.pid);
      return error.message.includes(`kill ${Deno.pid}`) &&
        error.message.includes("CLICKLEDGER_HOME");
    });
  }
  using _again = await lockHome(home.path);
});

Deno.test("lockHome() names a home that cannot be made", async () => {
  await using directory = await tempDir();
  const file = join(directory.path, "file");
  await Deno.writeTextFile(file, "");
  await assert.rejects(lockHome(join(file, "home")), (error: Error) => {
    assert.match(error.message, /^Cannot create CLICKLEDGER_HOME \/.+\/file\/home: [A-Z][\w ]+\(/);
    return !error.message.includes("mkdir");
  });
});
