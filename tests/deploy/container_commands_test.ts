import assert from "node:assert/strict";
import { join } from "node:path";
import postgres from "postgres";
import { withoutSettings } from "../../scripts/_test_services.ts";
import { startPostgres } from "../../scripts/services/postgres.ts";
import { findFreePort } from "../../scripts/services/require_free_port.ts";
import { eventLines } from "../event_lines.ts";
import { projectPath, tempDir, testTemporal, waitFor } from "../harness.ts";
import { untilReady } from "../until_ready.ts";
import { imageEnvironment, readComposeFile, readDockerfile, substitute } from "./_compose_file.ts";

const PASSWORDS = {
  OWNER_DATABASE_PASSWORD: crypto.randomUUID().replaceAll("-", ""),
  APP_DATABASE_PASSWORD: crypto.randomUUID().replaceAll("-", ""),
  TEMPORAL_DATABASE_PASSWORD: crypto.randomUUID().replaceAll("-", ""),
};

Deno.test("Commands of docker-compose.yml → a file gets through the containers' processes", async (t) => {
  await using stack = await containers();
  const { owner, app } = stack;

  await t.step("postgres: the logins", async () => {
    await createLogins(owner);
    const rows = await owner`select rolname, rolsuper, rolcreaterole, rolcreatedb from pg_roles
      where rolname in ('clickledger_app', 'temporal') order by 1`;
    const nothing = { rolsuper: false, rolcreaterole: false, rolcreatedb: false };
    assert.deepEqual(rows.map((row) => ({ ...row })), [
      { rolname: "clickledger_app", ...nothing },
      { rolname: "temporal", ...nothing },
    ]);
  });

  await t.step("migrate: ends well, also the second time", async () => {
    for (let time = 1; time <= 2; time++) {
      const { code, stderr } = await stack.run("migrate");
      assert.equal(code, 0, stderr);
    }
  });

  await t.step("watch, worker: a file is loaded and archived", async () => {
    await using _worker = await stack.start("worker");
    await using _watcher = await stack.start("watch");
    await Deno.writeTextFile(
      join(stack.files, "inbox", "events.csv"),
      eventLines({ seed: 41, rows: 30 }),
    );
    const file = await waitFor(async () => {
      const [row] = await owner`select archive_path, loaded::integer from ingest.files
        where state = 'loaded' and settled_at is not null`;
      return row;
    }, { what: "the file to be loaded", timeoutMs: 30_000 });
    assert.equal(file.loaded, 30);
    assert.ok(file.archive_path.startsWith(join(stack.files, "archive")));
    for (const name of ["worker", "watch"]) {
      const { code, stderr } = await stack.run(name, { healthcheck: true });
      assert.equal(code, 0, stderr);
    }
  });

  await t.step("dashboard: shows the file's events", async () => {
    await using _dashboard = await stack.start("dashboard");
    const board = await fetch(`http://127.0.0.1:${stack.dashboardPort}/api/board`);
    assert.equal(board.status, 200, await board.text());
    const page = await fetch(`http://127.0.0.1:${stack.dashboardPort}/`);
    assert.equal(page.status, 200);
    await page.body?.cancel();
  });

  await t.step("ask: answers", async () => {
    const listed = await stack.run("ask");
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, /events\.csv │ loaded/);
  });

  await t.step("the login of watcher and worker may not change the schema", async () => {
    await assert.rejects(app()`drop table shop.events`, /must be owner/);
    await assert.rejects(app()`create table shop.mine (a integer)`, /permission denied/);
  });

  await t.step("a health check fails when the database is away", async () => {
    await stack.stopPostgres();
    assert.notEqual((await stack.run("worker", { healthcheck: true })).code, 0);
  });
});

/** A PostgreSQL as the container has it, and processes as the containers run them: in the project, each with its own home. */
async function containers() {
  const parts = new AsyncDisposableStack();
  const compose = await readComposeFile();
  const entrypoint: string[] = JSON.parse(
    (await readDockerfile()).find(({ name }) => name === "ENTRYPOINT")!.text,
  );
  const image = await imageEnvironment();
  const home = parts.use(await tempDir());
  const server = await startPostgres({
    home: home.path,
    port: findFreePort(),
    progress: () => {},
    fsync: false,
  });
  parts.defer(() => server.stop());
  const { host, password } = new URL(server.ownerUrl);
  const owner = postgres(server.ownerUrl, { max: 2, onnotice: () => {}, backoff: false });
  parts.defer(() => owner.end({ timeout: 1 }));
  await owner.unsafe(`alter role postgres password '${PASSWORDS.OWNER_DATABASE_PASSWORD}'`);
  assert.notEqual(password, "");
  const app = projectPath(".clickledger", `container-${crypto.randomUUID()}`);
  parts.defer(() => Deno.remove(app, { recursive: true }));
  const temporal = await testTemporal();
  const dashboardPort = findFreePort();

  /** Hosts and folders of the containers are those of this machine. */
  function translate(service: string, text: string): string {
    return substitute(text, PASSWORDS)
      .replaceAll("postgres:5432", host)
      .replaceAll("temporal:7233", temporal)
      // What is published to this machine alone is here not opened to others either.
      .replaceAll("0.0.0.0:8234", `127.0.0.1:${dashboardPort}`)
      .replaceAll("0.0.0.0", "127.0.0.1")
      .replaceAll(/^\/app\/\.clickledger\/(files|cache)/g, `${app}/$1`)
      .replaceAll(/^\/app\/\.clickledger/g, `${app}/${service}`);
  }

  function command(service: string, { healthcheck = false } = {}): Deno.Command {
    const { environment = {}, ...parts } = compose.services[service]!;
    const words = healthcheck
      ? parts.healthcheck!.test.slice(1)
      : [...parts.entrypoint ?? entrypoint, ...parts.command ?? []];
    const [program, ...args] = words.map((word) => translate(service, word));
    const env = Object.entries({ ...image, ...environment })
      .map(([name, value]) => [name, translate(service, value)]);
    return new Deno.Command(program === "deno" ? Deno.execPath() : program!, {
      args,
      cwd: projectPath(),
      clearEnv: true,
      env: {
        ...withoutSettings(Deno.env.toObject()),
        NO_COLOR: "1",
        ...Object.fromEntries(env),
        CLICKLEDGER_SETTLE_MS: "100",
        CLICKLEDGER_DASHBOARD_PORT: String(dashboardPort),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  async function run(service: string, options: { healthcheck?: boolean } = {}) {
    const { code, stdout, stderr } = await command(service, options).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  async function start(service: string): Promise<AsyncDisposable> {
    return await untilReady(command(service).spawn(), { what: service, ready: /^Ready/m });
  }

  await bundleAsTheImageDoes(join(app, "cache"));
  return {
    owner,
    app() {
      const url = translate("worker", compose.services.worker!.environment!.DATABASE_URL!);
      const sql = postgres(url, { max: 1, onnotice: () => {}, idle_timeout: 1 });
      return sql;
    },
    files: join(app, "files"),
    dashboardPort,
    run,
    start,
    stopPostgres: () => server.stop(),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function bundleAsTheImageDoes(cache: string): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", projectPath("scripts", "bundle.ts")],
    env: { CLICKLEDGER_CACHE: cache },
    stdout: "null",
    stderr: "null",
  }).output();
  assert.equal(code, 0);
}

/** What psql does with the file: variables from the environment, one statement after the other. */
async function createLogins(owner: postgres.Sql): Promise<void> {
  const text = await Deno.readTextFile(projectPath("deploy", "create_logins.sql"));
  const names = new Map(
    [...text.matchAll(/^\\getenv (\w+) (\w+)$/gm)].map(([, name, variable]) => [name, variable]),
  );
  assert.equal(names.size, 2);
  const statements = text.replaceAll(/^(\\|--).*$/gm, "").replaceAll(/:'(\w+)'/g, (_, name) => {
    const value = PASSWORDS[names.get(name) as keyof typeof PASSWORDS];
    return `'${value}'`;
  });
  for (const statement of statements.split(";")) {
    if (statement.trim() !== "") await owner.unsafe(statement);
  }
}
