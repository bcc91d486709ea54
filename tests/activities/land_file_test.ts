import assert from "node:assert/strict";
import { link, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { landFile } from "../../activities/land_file.ts";

const NAME = "events-20260101T000000Z-000001.csv";
const encode = (text: string) => new TextEncoder().encode(text);

function inDirectory(name: string, run: (directory: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir({ prefix: "land-file-" });
    try {
      await run(directory);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

inDirectory("landFile() shows only a hidden name until the file is whole", async (directory) => {
  const seen: string[][] = [];
  async function* chunks() {
    yield encode("a,b\n");
    seen.push(await readdir(directory));
    yield encode("1,2\n");
    seen.push(await readdir(directory));
  }
  assert.deepEqual(await landFile(directory, NAME, chunks()), { landed: true, bytes: 8 });
  assert.equal(seen.length, 2);
  for (const names of seen) {
    assert.equal(names.length, 1);
    assert.match(names[0]!, /^\.events-20260101T000000Z-000001\.csv\.[0-9a-f]{12}\.part$/);
  }
  assert.deepEqual(await readdir(directory), [NAME]);
  assert.equal(await readFile(join(directory, NAME), "utf8"), "a,b\n1,2\n");
});

inDirectory("landFile() is seen by a watcher as a rename onto the path", async (directory) => {
  const watcher = Deno.watchFs(directory, { recursive: false });
  const renamed = (async () => {
    for await (const { kind, paths } of watcher) {
      if (kind === "rename" && paths.some((path) => path.endsWith(`/${NAME}`))) return true;
    }
    return false;
  })();
  await landFile(directory, NAME, [encode("a\n")]);
  assert.ok(await renamed);
  watcher.close();
});

inDirectory("landFile() leaves a taken name as it is", async (directory) => {
  await writeFile(join(directory, NAME), "first\n");
  const landing = await landFile(directory, NAME, [encode("second\n")]);
  assert.deepEqual(landing, { landed: false, bytes: 0 });
  assert.equal(await readFile(join(directory, NAME), "utf8"), "first\n");
  assert.deepEqual(await readdir(directory), [NAME]);
});

inDirectory("landFile() gives way to a name taken while it wrote", async (directory) => {
  async function* chunks() {
    yield encode("second\n");
    await writeFile(join(directory, "other"), "first\n");
    await link(join(directory, "other"), join(directory, NAME));
  }
  assert.equal((await landFile(directory, NAME, chunks())).landed, false);
  assert.equal(await readFile(join(directory, NAME), "utf8"), "first\n");
  assert.deepEqual((await readdir(directory)).toSorted(), [NAME, "other"].toSorted());
});

inDirectory("landFile() leaves nothing when its source fails", async (directory) => {
  function* chunks() {
    yield encode("a,b\n");
    throw new Error("no more");
  }
  await assert.rejects(landFile(directory, NAME, chunks()), /no more/);
  assert.deepEqual(await readdir(directory), []);
});

inDirectory("landFile() leaves nothing when it is aborted", async (directory) => {
  const controller = new AbortController();
  function* chunks() {
    yield encode("a,b\n");
    controller.abort(new Error("stop"));
    yield encode("1,2\n");
  }
  const landing = landFile(directory, NAME, chunks(), { signal: controller.signal });
  await assert.rejects(landing, /stop/);
  assert.deepEqual(await readdir(directory), []);
});

inDirectory("landFile() removes what a killed attempt left, and only that", async (directory) => {
  const others = [`.${NAME}.part`, `.x${NAME}.0123456789ab.part`, `.${NAME}.0123456789ab`];
  for (const name of [...others, `.${NAME}.0123456789ab.part`]) {
    await writeFile(join(directory, name), "half");
  }
  await landFile(directory, NAME, [encode("a\n")]);
  assert.deepEqual((await readdir(directory)).toSorted(), [NAME, ...others].toSorted());
});

inDirectory(
  "landFile() killed while it writes leaves no file under the name",
  async (directory) => {
    const module = new URL("../../activities/land_file.ts", import.meta.url).href;
    const script = `
    import { landFile } from ${JSON.stringify(module)};
    function* chunks() {
      yield new TextEncoder().encode("half");
      console.log("writing");
      while (true) yield new TextEncoder().encode("");
    }
    await landFile(Deno.args[0], Deno.args[1], chunks());
  `;
    const path = join(directory, "main.ts");
    await writeFile(path, script);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--allow-read", "--allow-write", path, directory, NAME],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
    const left = (await readdir(directory)).filter((name) => name !== "main.ts");
    assert.equal(left.length, 1);
    assert.match(left[0]!, /\.part$/);
    assert.deepEqual(await landFile(directory, NAME, [encode("a\n")]), { landed: true, bytes: 2 });
    assert.deepEqual((await readdir(directory)).toSorted(), [NAME, "main.ts"].toSorted());
  },
);
