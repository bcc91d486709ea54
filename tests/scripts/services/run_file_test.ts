import assert from "node:assert/strict";
import { join } from "node:path";
import {
  readRunFile,
  removeRunFile,
  type RunFile,
  writeRunFile,
} from "../../../scripts/services/run_file.ts";
import { tempDir } from "../../harness.ts";

const RUN: RunFile = {
  databaseUrl: "postgres://reader@127.0.0.1:1/d",
  operatorDatabaseUrl: "postgres://operator@127.0.0.1:1/d",
  ownerDatabaseUrl: "postgres://owner@127.0.0.1:1/d",
  temporalAddress: "127.0.0.1:2",
  webUiUrl: "http://127.0.0.1:3",
  inbox: "/inbox",
  pid: Deno.pid,
};

Deno.test("readRunFile() gives what was written, from a file only its owner can read", async () => {
  await using home = await tempDir();
  assert.equal(await readRunFile(home.path), undefined);
  await writeRunFile(home.path, RUN);
  assert.deepEqual(await readRunFile(home.path), RUN);
  assert.equal(((await Deno.stat(join(home.path, "run.json"))).mode ?? 0) & 0o777, 0o600);
  await removeRunFile(home.path);
  assert.equal(await readRunFile(home.path), undefined);
  await removeRunFile(home.path);
});

Deno.test("readRunFile() ignores the file of a killed process", async () => {
  await using home = await tempDir();
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  await writeRunFile(home.path, { ...RUN, pid: child.pid });
  assert.equal((await readRunFile(home.path))?.pid, child.pid);
  child.kill("SIGKILL");
  await child.status;
  assert.equal(await readRunFile(home.path), undefined);
});

Deno.test("readRunFile() ignores the file of an earlier process with the same pid", async () => {
  await using home = await tempDir();
  await writeRunFile(home.path, RUN);
  const path = join(home.path, "run.json");
  const stored = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...stored, pidStartedAt: "earlier" }));
  assert.equal(await readRunFile(home.path), undefined);
});
