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
}

/**
 * A transaction in fewer exchanges with the server than `sql.begin` takes: what it asks first goes along with its `begin`,
 * and what it writes last may take its `commit` along. Each exchange is as late as the step that this thread is in.
 *
 * A `begin` that is refused is told to whoever asked first only when the answers are there, so that what goes along with it
 * must be such as does no harm outside of a transaction: questions, and locks that end with it.
 *
 * @param sql The pool.
 * @param work Makes the transaction, and waits for nothing but its statements. What it calls `commit` for must be its last
 * statements, sent before it and without waiting for each other: whatever the server refuses of them takes all back, and
 * `commit` says so. Without it, the transaction is committed when the work has ended.
 * @returns What the work gave, once it is committed.
 * @throws What failed first; then nothing was written.
 */
export async function transact<Result>(
  sql: Sql,
  work: (tx: Transaction, commit: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const statements = new Statements();
  const taken = Promise.withResolvers<void>();
  const begun = sql.unsafe("begin isolation level read committed", [], {
    onexecute(connection: Connection) {
      statements.take(connection);
      taken.resolve();
    },
  } as object).execute();
  await Promise.race([taken.promise, begun]);

  const tx = sendingTo(sql, (query) => statements.send(query));
  let committing: Promise<void> | undefined;
  const commit = () =>
    committing ??= (async () => {
      await begun;
      await statements.end(tx, "commit");
    })();
  try {
    const result = await Promise.race([work(tx, commit), statements.lost]);
    await commit();
    return result;
  } catch (error) {
    // Either way it is over before anybody hears of it.
    await (committing ?? statements.end(tx, "rollback")).catch(() => {});
    throw sqlstateOf(error) === IN_FAILED_TRANSACTION ? statements.firstFailure : error;
  }
}

/** Sends the statements of one transaction, until it has ended or its connection has: then the next one has it. */
class Statements {
  /** Rejects when the connection ends. */
  readonly lost: Promise<never>;
  /** Why the first statement was refused that was. */
  firstFailure: unknown;
  readonly #waiting: Query[] = [];
  readonly #lose: (reason: unknown) => void;
  #connection: Connection | undefined;
  #mayFollow = true;
  #last: unknown;

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    this.lost = promise;
    this.#lose = reject;
    // Not everybody waits for it.
    promise.catch(() => {});
  }

  /** To be called while `begin` is sent: the driver gives the connection to nobody else then. */
  take(connection: Connection): void {
    this.#connection = connection;
    connection.reserved = this.#sendWaiting;
    connection.onclose = this.#lose;
  }

  send(query: Query): void {
    query.catch((reason) => this.firstFailure ??= reason);
    const isOver = this.#last !== undefined && this.#last !== query;
    if (isOver) query.reject(new Error("Cannot send a statement: its transaction has ended"));
    else if (this.#mayFollow) this.#execute(query);
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

/** What `tx` is of `sql.begin`, for statements and parts of them. */
function sendingTo(sql: Sql, send: (query: Query) => void): Transaction {
  const redirect = (made: unknown) => {
    if (made instanceof Promise) (made as unknown as Query).handler = send;
    return made;
  };
  const tag = (...values: Parameters<Sql>) => redirect(sql(...values));
  return Object.assign(tag, {
    json: sql.json,
    array: sql.array,
    unsafe: (...values: Parameters<Sql["unsafe"]>) => redirect(sql.unsafe(...values)),
  }) as unknown as Transaction;
}
