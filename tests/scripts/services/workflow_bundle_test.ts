import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { workflowBundle } from "../../../scripts/services/workflow_bundle.ts";
import { projectPath, tempDir, testBundle } from "../../harness.ts";

Deno.test("workflowBundle() builds once, again when a source changes, and keeps what is in use", async () => {
  await using directory = await tempDir();
  const cache = join(directory.path, "cache");
  const project = join(directory.path, "project");
  for (const name of ["workflows", "domain"]) {
    await Deno.mkdir(join(project, name), { recursive: true });
  }
  await Deno.symlink(projectPath("node_modules"), join(project, "node_modules"));
  await Deno.writeTextFile(join(project, "deno.lock"), "{}");
  const workflows = join(project, "workflows/all_workflows.ts");
  await Deno.writeTextFile(
    workflows,
    `import { limit } from "../domain/limit.ts";
     export async function shout(name: string): Promise<string> { return name + limit; }`,
  );
  await Deno.writeTextFile(join(project, "domain/limit.ts"), "export const limit: number = 7;");
  const progress: string[] = [];
  const build = () => workflowBundle({ cache, project, progress: (line) => progress.push(line) });

  const { codePath } = await build();
  assert.match(await Deno.readTextFile(codePath), /shout/);
  assert.deepEqual(await build(), { codePath });
  assert.equal(progress.length, 1);

  const longAgo = new Date(Date.now() - 48 * 60 * 60 * 1_000);
  const names = Array.from({ length: 9 }, (_, number) => `${number}.js`);
  for (const name of [...names, basename(codePath)]) {
    const path = join(cache, "bundles", name);
    if (name !== basename(codePath)) await Deno.writeTextFile(path, "");
    await Deno.utime(path, longAgo, longAgo);
  }
  assert.deepEqual(await build(), { codePath });
  await Deno.writeTextFile(join(project, "domain/limit.ts"), "export const limit: number = 8;");
  const { codePath: next } = await build();
  assert.notEqual(next, codePath);
  const kept = (await Array.fromAsync(Deno.readDir(join(cache, "bundles")))).map(({ name }) =>
    name
  );
  assert.equal(kept.length, 8);
  assert.ok(kept.includes(basename(codePath)), "it was used a moment ago, however old it is");

  await Deno.writeTextFile(workflows, `import "./missing.ts";`);
  await assert.rejects(build(), /Cannot bundle the workflows: [^]*missing\.ts/);
});

/** What can change, told by how it is written: collections that are constants have names in capitals, and are not empty. */
const MODULE_STATE = new RegExp(
  [
    String.raw`^(export )?(let|var) `,
    String.raw`^(export )?const .*=\s+new `,
    String.raw`^(export )?const [a-z][^=]*=\s+[[{]`,
    String.raw`^(export )?const [^=]*=\s+(\[\s*\]|\{\s*\})`,
    String.raw`^\s+(\w+ )*static [^({]*[=;]`,
  ].join("|"),
  "m",
);

Deno.test("workflowBundle() shares modules between workflows, so that none of them may have a state", async () => {
  const states = [
    "let count = 0;",
    "export let count = 0;",
    "const seen: string[] = [];",
    "const cache = {};",
    'const last = { name: "" };',
    "export const SEEN: Record<string, number> = {\n};",
    "const SEEN: string[] =\n  [];",
    "const cache = new Map<string, number>();",
    "const cache: ReadonlyMap<string, number> =\n  new Map();",
    "class Cache {\n  static entries = 0;\n}",
    "class Cache {\n  private static readonly entries: string[] = [];\n}",
    "class Cache {\n  static #last: string;\n}",
  ];
  for (const text of states) assert.match(text, MODULE_STATE);
  const constants = [
    'const STATES = ["loading", "loaded"] as const;',
    "const isOdd = (n: number) => n % 2 === 1;",
    "const names = Object.keys(FAULTS);",
    "const { load } = proxyActivities(options);",
    "function count() {\n  let n = 0;\n  const seen = [];\n}",
    "class Queue {\n  #waiting = [];\n  static of(n = 1) {}\n}",
  ];
  for (const text of constants) assert.doesNotMatch(text, MODULE_STATE);

  const bundle = await Deno.readTextFile(await testBundle());
  const own = new Set(bundle.match(/(?<=")\.\/(workflows|domain)\/[^"]+\.ts(?=")/g));
  assert.ok(own.size > 10);
  for (const path of own) {
    const text = await Deno.readTextFile(projectPath(path));
    assert.equal(MODULE_STATE.exec(text)?.[0], undefined, path);
  }
});
