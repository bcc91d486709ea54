/** A number from the environment, by which a run by hand can be larger than that of the suite. */
export function readNumber(name: string, byDefault: number): number {
  return Number(Deno.env.get(name) ?? byDefault);
}

/** The seed of a test: of the environment, else another one each time. */
export function readSeed(): number {
  return readNumber("CLICKLEDGER_TEST_SEED", crypto.getRandomValues(new Uint16Array(1))[0]!);
}
