import assert from "node:assert/strict";
import { ConfigError, listSettings, readConfig } from "../../scripts/config.ts";
import { renderEnvExample, renderSettingsHelp } from "../../scripts/render_settings.ts";
import { projectPath } from "../harness.ts";

Deno.test("readConfig() needs no variable at all", () => {
  const config = readConfig({});
  assert.equal(config.home, `${Deno.cwd()}/.clickledger`);
  assert.equal(config.inbox, `${config.home}/inbox`);
  assert.equal(config.postgresPort, 5433);
  assert.equal(config.settleMs, 1000);
  assert.equal(config.chunkBytes, 2 * 1024 * 1024);
  assert.equal(config.maxRejects, undefined);
  assert.equal(config.databaseUrl, undefined);
});

Deno.test("readConfig() takes an empty value for unset", () => {
  assert.equal(readConfig({ CLICKLEDGER_UI_PORT: "", DATABASE_URL: "" }).uiPort, 8233);
});

Deno.test("readConfig() reads each kind of setting", () => {
  const config = readConfig({
    CLICKLEDGER_HOME: "/srv/shop/../ledger",
    CLICKLEDGER_ARCHIVE_POLICY: "keep",
    CLICKLEDGER_MAX_REJECTS: "0",
    CLICKLEDGER_MAX_REJECT_SHARE: "0.25",
    DATABASE_URL: "postgresql://user:secret@db/shop",
    TEMPORAL_ADDRESS: "temporal.example:7233",
    TEMPORAL_NAMESPACE: "shop",
    HOME: "/home/somebody",
  });
  assert.equal(config.inbox, "/srv/ledger/inbox");
  assert.equal(config.archivePolicy, "keep");
  assert.equal(config.maxRejects, 0);
  assert.equal(config.maxRejectShare, 0.25);
  assert.equal(config.temporalEnvironment.TEMPORAL_NAMESPACE, "shop");
  assert.match(config.cache, /^\/home\/somebody\/.+\/clickledger$|\.cache\/clickledger$/);
});

Deno.test("readConfig() names the variable, what it expects and what to do", async (t) => {
  const wrong = [
    ["CLICKLEDGER_POSTGRES_PORT", "abc", "a port from 1 to 65535"],
    ["CLICKLEDGER_POSTGRES_PORT", "65536", "a port from 1 to 65535"],
    ["CLICKLEDGER_POSTGRES_PORT", " 80", "a port from 1 to 65535"],
    ["CLICKLEDGER_SETTLE_MS", "-1", "a whole number of milliseconds"],
    ["CLICKLEDGER_SETTLE_MS", "1.5", "a whole number of milliseconds"],
    ["CLICKLEDGER_LOG_LEVEL", "loud", "trace, debug, info"],
    ["CLICKLEDGER_ARCHIVE_POLICY", "burn", "move, keep or delete"],
    ["CLICKLEDGER_MAX_REJECT_SHARE", "1.01", "a number from 0 to 1"],
    ["CLICKLEDGER_MAX_REJECTS", "many", "a whole number"],
    ["TEMPORAL_ADDRESS", "http://somewhere", "host:port"],
  ] as const;
  for (const [name, value, expected] of wrong) {
    await t.step(`${name}=${value}`, () => {
      assert.throws(() => readConfig({ [name]: value }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.ok(error.message.includes(`Cannot use ${name}: expected ${expected}`));
        assert.ok(error.message.includes(`but got ${JSON.stringify(value)}; correct it or unset`));
        return true;
      });
    });
  }
});

Deno.test("readConfig() never prints a connection string", () => {
  assert.throws(() => readConfig({ DATABASE_URL: "mysql://user:hunter2@db" }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.ok(!error.message.includes("hunter2"));
    return error.message.includes("DATABASE_URL");
  });
});

Deno.test("readConfig() reports all wrong variables at once, also misspelt ones", () => {
  const env = { CLICKLEDGER_UI_PROT: "1", CLICKLEDGER_UI_PORT: "x", CLICKLEDGER_TEST_BUNDLE: "b" };
  assert.throws(() => readConfig(env), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /Cannot use CLICKLEDGER_UI_PROT: no setting has this name/);
    assert.match(error.message, /Cannot use CLICKLEDGER_UI_PORT: expected a port/);
    return !error.message.includes("CLICKLEDGER_TEST_BUNDLE");
  });
});

Deno.test("readConfig() refuses settings that contradict each other", () => {
  assert.throws(() => readConfig({ CLICKLEDGER_UI_PORT: "7233" }), /already that of CLICKLEDGER_/);
  assert.throws(
    () => readConfig({ CLICKLEDGER_INBOX: "/in", CLICKLEDGER_FAILED: "/in/" }),
    /Cannot use CLICKLEDGER_FAILED: it is the inbox/,
  );
});

Deno.test(".env.example equals what renderEnvExample() gives", async () => {
  const text = await Deno.readTextFile(projectPath(".env.example"));
  assert.equal(text, renderEnvExample(), "run: deno run -A scripts/write_env_example.ts");
});

Deno.test("renderSettingsHelp() lists every setting", () => {
  const help = renderSettingsHelp();
  for (const { meta } of listSettings()) assert.ok(help.includes(meta.env), meta.env);
});
