import { DEFAULT_LIMITS, openDatabase, type Sql } from "../activities/database.ts";
import { askFile, createBoard } from "./ask_panels.ts";
import { type Changes, followChanges } from "./changes.ts";
import { FilterError, readFilters } from "./filters.ts";
import { readPage } from "./read_page.ts";

/** What the dashboard works with. */
export interface DashboardOptions {
  /** Any login that may become reader. */
  readonly databaseUrl: string;
  /** 127.0.0.1 unless given; whoever reaches it sees all of it. */
  readonly hostname?: string;
  readonly port: number;
  /** Of Temporal, for links to workflows. */
  readonly webUiUrl?: string;
  readonly namespace: string;
  /** Is told why a question was not answered: a SQLSTATE or a code of the network, never a value. */
  readonly onFailure?: (code: string) => void;
  /** Files in the inbox that no workflow has been started for yet. */
  readonly waiting?: () => number;
  /** Longest time that one question may take, milliseconds; 15,000 by default. */
  readonly questionTimeoutMs?: number;
}

/** A dashboard that runs. */
export interface Dashboard extends AsyncDisposable {
  readonly url: string;
}

const QUESTION_TIMEOUT_MS = 15_000;
const SILENT_AFTER_MS = 5_000;
const CONNECTIONS = 4;
const PING_EVERY_MS = 15_000;
const LISTEN_AGAIN_MS = 1_000;

/** The page may load what comes with it, and nothing else. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/**
 * Serves the dashboard, on this machine only unless told otherwise. It reads the database as reader, and writes nothing.
 *
 * @throws {Deno.errors.AddrInUse} when the port is taken
 */
export function startDashboard(options: DashboardOptions): Dashboard {
  const { databaseUrl, questionTimeoutMs = QUESTION_TIMEOUT_MS } = options;
  const sql = openReader(databaseUrl, {
    max: CONNECTIONS,
    timeoutMs: questionTimeoutMs,
    // PostgreSQL ends a question itself; what is silent beyond that is not there.
    silentMs: questionTimeoutMs + SILENT_AFTER_MS,
  });
  // The connection that listens is silent for as long as nothing happens.
  const listener = openReader(databaseUrl, {
    max: 1,
    timeoutMs: questionTimeoutMs,
    silentMs: 3_600_000,
  });
  const askBoard = createBoard(sql);
  const stopping = new AbortController();
  let changes: Promise<Changes> | undefined;
  const server = Deno.serve(
    { hostname: options.hostname ?? "127.0.0.1", port: options.port, onListen: () => {} },
    async (request) => {
      const response = await answer(request).catch(() => problem(500, "Something broke"));
      for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
      return response;
    },
  );

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    // Another site's page whose name was made to lead here must not read along.
    if (!isOurs(request.headers.get("host"), options.port)) {
      return problem(421, "Cannot answer: this host name is not mine");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return problem(405, "Cannot answer: only GET is understood");
    }
    if (url.pathname === "/api/board") return await board(url.searchParams);
    if (url.pathname === "/api/file") return await file(url.searchParams.get("id") ?? "");
    if (url.pathname === "/api/changes") return follow();
    return await readPage(url.pathname) ?? problem(404, "Cannot answer: nothing is here");
  }

  async function board(query: URLSearchParams): Promise<Response> {
    const { webUiUrl = null, namespace, waiting } = options;
    return await tell(async () => {
      const shown = await askBoard(readFilters(query, Date.now()));
      return { ...shown, webUiUrl, namespace, waiting: waiting?.() ?? null };
    });
  }

  async function file(id: string): Promise<Response> {
    if (!/^\d{1,15}$/.test(id)) return problem(400, "Cannot show the file: expected its number");
    return await tell(() => askFile(sql, id));
  }

  async function tell(work: () => Promise<object>): Promise<Response> {
    try {
      return Response.json(await work());
    } catch (error) {
      if (error instanceof FilterError) return problem(400, error.message);
      // The message may hold values: its code is told to those who run this.
      const { code } = error as { code?: unknown };
      options.onFailure?.(typeof code === "string" ? code : "unknown");
      return problem(503, "The database does not answer");
    }
  }

  /** A database that is away is asked again, so that a page opened in an outage is live after it. */
  async function followUntil(ended: AbortSignal, onChange: () => void): Promise<void> {
    while (!ended.aborted) {
      changes ??= followChanges(listener);
      try {
        (await changes).follow(onChange, ended);
        // What was announced before is told once.
        return onChange();
      } catch {
        changes = undefined;
        await new Promise((resolve) => setTimeout(resolve, LISTEN_AGAIN_MS));
      }
    }
  }

  /** Server-sent events: `change` when something was committed, `ping` to find dead connections. */
  function follow(): Response {
    const left = new AbortController();
    const ended = AbortSignal.any([left.signal, stopping.signal]);
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const send = (event: string) => {
          if (!ended.aborted) controller.enqueue(encoder.encode(`event: ${event}\ndata:\n\n`));
        };
        send("ping");
        const timer = setInterval(() => send("ping"), PING_EVERY_MS);
        ended.addEventListener("abort", () => {
          clearInterval(timer);
          if (!left.signal.aborted) controller.close();
        }, { once: true });
        followUntil(ended, () => send("change"));
      },
      cancel: () => left.abort(),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await (await changes?.catch(() => undefined))?.[Symbol.asyncDispose]();
      await Promise.all([sql.end({ timeout: 1 }), listener.end({ timeout: 1 })]);
      await server.shutdown();
    },
  };
}

function openReader(
  url: string,
  { max, timeoutMs, silentMs }: { max: number; timeoutMs: number; silentMs: number },
): Sql {
  return openDatabase(url, "reader", {
    max,
    applicationName: "clickledger dashboard",
    limits: {
      ...DEFAULT_LIMITS,
      idleInTransactionTimeoutMs: timeoutMs,
      transactionTimeoutMs: timeoutMs,
      lockTimeoutMs: 2_000,
      statementDeadlineMs: silentMs,
    },
  });
}

function isOurs(host: string | null, port: number): boolean {
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`].includes(host ?? "") ||
    (port === 80 && ["127.0.0.1", "localhost"].includes(host ?? ""));
}

function problem(status: number, message: string): Response {
  return Response.json({ error: message }, { status });
}
