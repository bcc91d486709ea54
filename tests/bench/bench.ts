/** Something that is measured, once or beside rivals. */
export interface Bench {
  /** As in `deno task bench --only NAME`. */
  readonly name: string;
  /** What is measured, in one line. */
  readonly about: string;
  /**
   * Makes what is to be run; on the same input, where cases are compared.
   *
   * @param records About how many to work on; a few hundred when it only has to run at all.
   */
  readonly prepare: (records: number) => BenchCase[] | Promise<BenchCase[]>;
}

/** One line of the table. */
export interface BenchCase {
  /** Cases of one input, which are compared with its rival. */
  readonly input: string;
  readonly what: string;
  /** Is this what others are compared with? */
  readonly isRival?: boolean;
  /** Does the work once, and throws when its result is wrong. */
  readonly run: () => BenchAmount | Promise<BenchAmount>;
}

/** What one run worked through. */
export interface BenchAmount {
  readonly records: number;
  /** Of text, left out where there is none. */
  readonly bytes?: number;
}
