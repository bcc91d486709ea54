import assert from "node:assert/strict";
import { landInPlace } from "../../activities/land_in_place.ts";
import { tempDir, waitFor } from "../harness.ts";

const TEXT = "a,b\n1,2\n3,4\n";
const pieces = () =>
  [TEXT.slice(0, 6), TEXT.slice(6)].map((text) => new TextEncoder().encode(text));

Deno.test("landInPlace() shows a part of the file under its name, then all of it", async () => {
  await using folder = await tempDir();
  const path = `${folder.path}/a.csv`;
  const landing = landInPlace(folder.path, "a.csv", pieces());
  const part = await waitFor(() => Deno.readTextFile(path).catch(() => ""), { what: "a part" });
  assert.ok(part.length < TEXT.length && TEXT.startsWith(part), part);
  await landing;
  assert.equal(await Deno.readTextFile(path), TEXT);
});

for (const there of [0, 2, 6, 9, TEXT.length]) {
  Deno.test(`landInPlace() completes what an attempt left after ${there} bytes`, async () => {
    await using folder = await tempDir();
    await Deno.writeTextFile(`${folder.path}/a.csv`, TEXT.slice(0, there));
    await landInPlace(folder.path, "a.csv", pieces());
    assert.equal(await Deno.readTextFile(`${folder.path}/a.csv`), TEXT);
  });
}
