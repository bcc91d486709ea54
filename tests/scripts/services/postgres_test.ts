import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { startPostgres } from "../../../scripts/services/postgres.ts";
import { findFreePort, PortTakenError } from "../../../scripts/services/require_free_port.ts";
import { tempDir } from "../../harness.ts";

function start(home: string, progress: string[] = [], port = findFreePort()) {
  return startPostgres({ home, port, fsync: false, progress: (line) => progress.push(line) });
}

async function query(url: string, text: string): Promise<string[][]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5 });
  try {
    return (await sql.unsafe(text).values()).map((row) => row.map(String));
  } finally {
    await sql.end();
  }
}

Deno.test("startPostgres() keeps the data over a restart", async () => {
  await using home = await tempDir();
  const progress: string[] = [];
  const first = await start(home.path, progress);
  assert.match(progress.join(), /initialising a new database in/);
  await query(first.ownerUrl, "create table kept as select 42 as answer");
  await first.stop();
  await first.stop();
  progress.length = 0;
  const second = await start(home.path, progress);
  try {
    assert.deepEqual(await query(second.ownerUrl, "select answer from kept"), [["42"]]);
    assert.deepEqual(progress, []);
  } finally {
    await second.stop();
  }
});

Deno.test("startPostgres() starts a server that is private and set up for loading", async () => {
  await using home = await tempDir();
  const server = await start(home.path);
  try {
    const names = "'server_version_num','listen_addresses','max_connections','fsync','TimeZone'";
    const settings = await query(
      server.ownerUrl,
      `select name, setting from pg_settings where name in (${names})`,
    );
    const { server_version_num: version, ...rest } = Object.fromEntries(settings);
    assert.ok(Number(version) >= 180_000);
    assert.deepEqual(rest, {
      fsync: "off",
      listen_addresses: "127.0.0.1",
      max_connections: "100",
      TimeZone: "UTC",
    });
    const wrongPassword = new URL(server.ownerUrl);
    wrongPassword.password = "guessed";
    await assert.rejects(query(wrongPassword.href, "select 1"), { code: "28P01" });
    const passwordFile = await Deno.stat(join(home.path, "postgres/password"));
    assert.equal((passwordFile.mode ?? 0) & 0o777, 0o600);
    // I6: neither statements nor values in the server's log.
    await assert.rejects(query(server.ownerUrl, "select 'cell-value'::int"), { code: "22P02" });
    const log = await Deno.readTextFile(join(home.path, "postgres/postgres.log"));
    assert.ok(!log.includes("cell-value"));
  } finally {
    await server.stop();
  }
});

Deno.test("startPostgres() recovers after a kill -9 of the server", async () => {
  await using home = await tempDir();
  const first = await start(home.path);
  await query(first.ownerUrl, "create table kept as select 42 as answer");
  Deno.kill(first.pid, "SIGKILL");
  await first.ended;
  const second = await start(home.path);
  try {
    assert.deepEqual(await query(second.ownerUrl, "select answer from kept"), [["42"]]);
  } finally {
    await second.stop();
  }
});

Deno.test("startPostgres() does not mistake another process for its server", async () => {
  await using home = await tempDir();
  const first = await start(home.path);
  const pidFile = join(first.dataDir, "postmaster.pid");
  const text = await Deno.readTextFile(pidFile);
  await first.stop();
  await Deno.writeTextFile(pidFile, text.replace(/^\d+/, String(Deno.pid)));
  const second = await start(home.path);
  await second.stop();
});

Deno.test("startPostgres() names a taken port and the setting that changes it", async () => {
  await using home = await tempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await assert.rejects(start(home.path, [], port), (error) => {
    assert.ok(error instanceof PortTakenError);
    assert.match(error.message, new RegExp(`PostgreSQL on 127.0.0.1:${port}: the port is taken`));
    return error.message.includes("CLICKLEDGER_POSTGRES_PORT");
  });
});
