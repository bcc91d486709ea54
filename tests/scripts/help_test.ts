import assert from "node:assert/strict";
import { VERSION } from "../../scripts/version.ts";
import { projectPath } from "../harness.ts";
import { runCommand } from "./_commands.ts";

const COMMANDS = [
  "bench",
  "demo",
  "dev",
  "files",
  "generate",
  "ingest",
  "migrate",
  "rejects",
  "report",
  "sql",
  "verify",
  "why",
];

const WRONG_USAGE: [name: string, args: string[], expected: RegExp][] = [
  ["bench", ["--only", "latency,speed"], /Cannot measure speed: known are .*latency/],
  ["dev", ["--role", "both"], /expected worker or watch/],
  ["demo", ["--seconds", "soon"], /expected a whole number from 1/],
  ["files", ["list", "--state", "lost"], /is invalid: expected one of loading, .*[a-z]; see/],
  ["files", ["show"], /missing required argument 'file'/],
  ["generate", ["--interval", "5x"], /expected a time such as 5s/],
  ["generate", ["--rows", "5"], /expected both --rows N and --out DIRECTORY/],
  ["generate", ["--pause", "--rate", "3"], /--pause stands alone/],
  ["ingest", [], /missing required argument 'path'/],
  ["ingest", ["/nowhere.csv"], /Cannot ingest \/nowhere\.csv: nothing is there/],
  ["migrate", ["--now"], /unknown option '--now'; see/],
  ["files", ["list", "--stat", "x"], /unknown option '--stat'; see `deno task files --help`/],
  ["sql", ["select", "1"], /too many arguments: expected 1 argument but got 2 \(select, 1\); see/],
  ["sql", [], /expected either a query, - for stdin, or --list/],
  ["verify", ["--format", "xml"], /is invalid: expected one of table, json, csv; see/],
];

const V8_FLAGS = "--v8-flags=--max-semi-space-size=16,--heap-growing-percent=80";

Deno.test("every command explains itself with --help and has a task with a description", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(projectPath("deno.json")));
  await Promise.all(COMMANDS.map(async (name) => {
    const { code, stdout, stderr } = await runCommand(name, ["--help"]);
    assert.equal(code, 0, name);
    assert.equal(stderr, "", name);
    assert.match(stdout, new RegExp(`^Usage: deno task ${name} `));
    assert.match(stdout, /CLICKLEDGER_HOME|deno task dev --help/);
    // A worker runs for long: how far its heap may grow is limited.
    const flags = ["demo", "dev"].includes(name) ? `${V8_FLAGS} ` : "";
    assert.equal(tasks[name].command, `deno run -A ${flags}scripts/${name}.ts`);
    assert.ok(tasks[name].description.length > 10, name);
  }));
  assert.equal((await runCommand("dev", ["--version"])).stdout, `${VERSION}\n`);
});

Deno.test("every command ends with 2 and a sentence when it is used wrongly", async () => {
  await Promise.all(WRONG_USAGE.map(async ([name, args, expected]) => {
    const { code, stdout, stderr } = await runCommand(name, args);
    assert.equal(code, 2, `${name} ${args.join(" ")}`);
    assert.match(stderr, expected);
    assert.match(stderr, /^Cannot .+\n$/);
    assert.equal(stdout, "");
  }));
});

Deno.test("every command names a setting that cannot be used, and ends with 2", async () => {
  const env = { CLICKLEDGER_POSTGRES_PORT: "high" };
  const { code, stderr } = await runCommand("verify", [], { env });
  assert.equal(code, 2);
  assert.match(stderr, /Cannot use CLICKLEDGER_POSTGRES_PORT: expected a port from 1 to 65535/);
});

Deno.test("every command says what it cannot reach, without the password, and ends with 1", async () => {
  const env = { DATABASE_URL: "postgres://user:hidden@127.0.0.1:1/database" };
  const { code, stderr } = await runCommand("verify", [], { env });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    "Cannot reach PostgreSQL at 127.0.0.1:1: ECONNREFUSED; start it, or check DATABASE_URL\n",
  );
});
