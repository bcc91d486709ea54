import type { PendingQuery, Row } from "postgres";
import { IN_FAILED_TRANSACTION, type Sql, sqlstateOf, type Transaction } from "./database.ts";

/** A connection of the driver, as far as it is needed here; its types do not tell of it. */
interface Connection {
  /** Sends a statement behind those before; tells whether another one may follow before it is answered. */
  execute(query: Query): boolean;
  /** Whose it is: called whenever all statements were answered and the transaction goes on. */
  reserved: (() => void) | null;
  onclose: ((reason: unknown) => void) | null;
}

/** A statement of the driver. */
interface Query extends Promise<unknown> {
  handler: (query: Query) => void;
  reject: (reason: unknown) => void;
  /** The driver sends none that is. */
  cancelled: unknown;
}

/**
 * A transaction in fewer exchanges with the server than `sql.begin` takes: what it asks first goes along with its `begin`,
 * and what it writes last may take its `commit` along. Each exchange is as late as the step that this thread is in.
 *
 * A `begin` that is refused is told to whoever asked first only when the answers are there, so that what goes along with it
 * must be such as does no harm outside of a transaction: questions, locks that end with it, and what is written only where
 * it {@linkcode hasBegun}.
 *
 * @param sql The pool.
 * @param work Makes the transaction. Should it wait for anything but its statements, it is left behind when the connection
 * ends meanwhile, and can send nothing more. It may call `commit` with all that is still under way, of which each has sent its
 * last statement at once: whatever fails of that takes all back, and `commit` says so. Without, the transaction is committed
 * when the work has ended.
 * @returns What the work gave, once it is committed.
 * @throws What failed first; then nothing was written.
 */
export async function transact<Result>(
  sql: Sql,
  work: (tx: Transaction, commit: Commit) => Promise<Result>,
): Promise<Result> {
  const statements = new Statements();
  const taken = Promise.withResolvers<void>();
  const begun = sql.unsafe(BEGIN, [], {
    onexecute(connection: Connection) {
      statements.take(connection);
      taken.resolve();
    },
  } as object).execute();
  begun.catch((reason) => statements.giveUp(reason));
  await Promise.race([taken.promise, begun]);

  const tx = sendingTo(sql, (query) => statements.send(query));
  let committing: Promise<void> | undefined;
  const commit: Commit = (last = []) =>
    committing ??= (async () => {
      let failure: { reason: unknown } | undefined;
      for (const one of last) one.catch((reason) => failure ??= { reason });
      await begun;
      // What fails before it has sent anything has told so by then.
      await new Promise((resolve) => setImmediate(resolve));
      if (failure !== undefined) throw failure.reason;
      await statements.end(tx, "commit");
    })();
  try {
    const result = await Promise.race([work(tx, commit), statements.lost]);
    await commit();
    return result;
  } catch (error) {
    // It is over before anybody hears of it.
    await committing?.catch(() => {});
    if (!statements.haveEnded) await statements.end(tx, "rollback").catch(() => {});
    throw sqlstateOf(error) === IN_FAILED_TRANSACTION ? statements.firstFailure ?? error : error;
  }
}

/**
 * Whether a statement stands in a transaction of {@linkcode transact}, to be asked for by what goes along with its `begin`
 * and writes: without one, it would be committed by itself.
 *
 * @returns An expression that is true or false for all of a statement.
 */
export function hasBegun(tx: Transaction): PendingQuery<Row[]> {
  return tx`current_setting('transaction_deferrable')::boolean`;
}

/** `deferrable` means nothing at this level. It is what this transaction can be told by: others are not. */
const BEGIN = "begin isolation level read committed deferrable";

/** @throws what failed of the last statements; then all was taken back. */
export type Commit = (last?: readonly Promise<unknown>[]) => Promise<void>;

/** Sends the statements of one transaction, until it has ended or its connection has: then the next one has it. */
class Statements {
  /** Rejects when the connection ends, or there is no transaction. */
  readonly lost: Promise<never>;
  /** Why the first statement was refused that was. */
  firstFailure: unknown;
  readonly #waiting: Query[] = [];
  readonly #lose: (reason: unknown) => void;
  #connection: Connection | undefined;
  #mayFollow = true;
  #last: unknown;
  #gone: { reason: unknown } | undefined;

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    this.lost = promise;
    this.#lose = reject;
    // Not everybody waits for it.
    promise.catch(() => {});
  }

  /** Nothing can be sent any more. */
  get haveEnded(): boolean {
    return this.#last !== undefined || this.#gone !== undefined;
  }

  /** To be called while `begin` is sent: the driver gives the connection to nobody else then. */
  take(connection: Connection): void {
    this.#connection = connection;
    connection.reserved = this.#sendWaiting;
    connection.onclose = (reason) => this.giveUp(reason);
  }

  /** Sends nothing from then on. The driver tells what it has sent, and nothing else. */
  giveUp(reason: unknown): void {
    this.#gone ??= { reason };
    this.#lose(reason);
    for (const query of this.#waiting.splice(0)) query.reject(reason);
  }

  send(query: Query): void {
    neverAgain(query);
    query.catch((reason) => this.firstFailure ??= reason);
    const isBehind = this.#last !== undefined && this.#last !== query;
    if (this.#gone !== undefined) query.reject(this.#gone.reason);
    else if (isBehind) {
      query.reject(new Error("Cannot send a statement: its transaction has ended"));
    } else if (this.#mayFollow) this.#execute(query);
    else this.#waiting.push(query);
  }

  /** Ends the transaction behind all that was sent. @throws when the server has taken it back instead. */
  async end(tx: Transaction, how: "commit" | "rollback"): Promise<void> {
    const last = tx.unsafe(how);
    this.#last = last;
    const { command } = await last;
    if (command === how.toUpperCase()) return;
    throw this.firstFailure ?? new Error("The server has taken the transaction back");
  }

  readonly #sendWaiting = () => {
    this.#mayFollow = true;
    while (this.#mayFollow && this.#waiting.length > 0) this.#execute(this.#waiting.shift()!);
  };

  #execute(query: Query): void {
    const connection = this.#connection;
    if (connection?.reserved !== this.#sendWaiting) {
      query.reject(new Error("Cannot send a statement: its connection has ended"));
    } else this.#mayFollow = connection.execute(query);
  }
}

/**
 * The driver sends a prepared statement once more when the server has forgotten it, or its plan is out of date: behind all
 * that was sent since, and be it the `commit`. Within a transaction that is aborted by then it could not succeed either.
 */
function neverAgain(query: Query): void {
  Object.defineProperty(query, "retried", {
    get: () => undefined,
    set(reason: unknown) {
      query.cancelled = reason;
      query.reject(reason);
    },
  });
}

/** What `tx` is of `sql.begin`, for statements and parts of them. */
function sendingTo(sql: Sql, send: (query: Query) => void): Transaction {
  const redirect = (made: unknown) => {
    if (made instanceof Promise) (made as unknown as Query).handler = send;
    return made;
  };
  const tag = (...values: Parameters<Sql>) => redirect(sql(...values));
  return Object.assign(tag, {
    json: sql.json,
    unsafe: (...values: Parameters<Sql["unsafe"]>) => redirect(sql.unsafe(...values)),
  }) as unknown as Transaction;
}
