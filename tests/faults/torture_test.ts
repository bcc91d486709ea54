/**
 * All kinds of faults, mixed by a seed, on a pipeline with files whose truth is known. Run by itself:
 * `deno task test --torture --seed 7`.
 *
 * @module
 */
import { ownPostgres, ownTemporal } from "./_own_services.ts";
import { readNumber, readSeed } from "./_read_number.ts";
import { tortureSeed } from "./_torture_seed.ts";

const FIRST_SEED = readSeed();
const SEEDS = readNumber("CLICKLEDGER_TEST_SEEDS", 1);
const MINUTES = readNumber("CLICKLEDGER_TEST_MINUTES", 0);

Deno.test("Faults of all kinds mixed while files load → every event once, every fault found", async (test) => {
  await using postgres = await ownPostgres();
  await using temporal = await ownTemporal();
  const end = performance.now() + MINUTES * 60_000;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS || performance.now() < end; seed++) {
    await test.step(`seed ${seed}`, async () => {
      const started = performance.now();
      const kinds: string[] = [];
      const tell = (verdict: string) => {
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        console.log(`seed ${seed}: ${verdict} in ${seconds} s; ${kinds.join(", ")}`);
      };
      try {
        tell(await tortureSeed({ seed, postgres, temporal, onFault: (kind) => kinds.push(kind) }));
      } catch (error) {
        tell("FAILED");
        // At once: the runner shows it when all seeds are over.
        console.log(error);
        console.log(`repeat it: deno task test --torture --seed ${seed}`);
        throw error;
      }
    });
  }
});
