import assert from "node:assert/strict";
import { REES46 } from "../../../domain/generator/rees46.ts";
import { readProfile } from "../../../scripts/generate/read_profile.ts";
import { tempDir } from "../../harness.ts";

async function readText(text: string) {
  await using folder = await tempDir();
  await Deno.writeTextFile(`${folder.path}/shop.json`, text);
  return await readProfile(`${folder.path}/shop.json`);
}

Deno.test("readProfile() takes the default shop as JSON", async () => {
  assert.deepEqual(await readText(JSON.stringify(REES46)), REES46);
});

for (
  const [change, message] of [
    [{ hours: [1, 2] }, /at hours/],
    [{ sessions: REES46.sessions.slice(1) }, /expected shares that add up to 1/],
    [{ currency: "dollars" }, /at currency/],
    [{ colour: "red" }, /colour/],
  ] as const
) {
  Deno.test(`readProfile() names what is wrong with ${Object.keys(change)}`, async () => {
    await assert.rejects(readText(JSON.stringify({ ...REES46, ...change })), message);
  });
}

Deno.test("readProfile() says when it is no JSON", async () => {
  await assert.rejects(readText("{"), /Cannot read the profile/);
});
