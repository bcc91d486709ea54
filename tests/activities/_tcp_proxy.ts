import type { Buffer } from "node:buffer";
import { createConnection, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy that a test can make swallow what passes, or cut. */
export interface TcpProxy extends AsyncDisposable {
  /** The same database through the proxy. */
  url: string;
  /** From now on bytes of both directions vanish; connections stay open. */
  swallow(): void;
  /** From now on what the server says is kept back, until the function that it returns is called. */
  holdAnswers(): () => void;
  /** From now on the server is told something else than this, of the same length; until the function is called. */
  misquote(words: string, others: string): () => void;
  /** Bytes pass again. */
  pass(): void;
  /** Ends all connections at once. */
  cut(): void;
  /** Ends them and refuses new ones, until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
}

/** Puts a proxy in front of the server of a connection string. */
export async function tcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let swallowing = false;
  let held: (() => void)[] | undefined;
  let misquoted: { words: string; others: string } | undefined;
  let port = 0;
  let server = await listen();

  async function listen(): Promise<Server> {
    const opened = createServer((client) => {
      const upstream = createConnection(Number(target.port), target.hostname);
      for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
        sockets.add(from);
        from.on("data", (bytes: Buffer) => {
          if (swallowing) return;
          if (from === client && misquoted !== undefined) replace(bytes, misquoted);
          if (from === upstream && held !== undefined) held.push(() => to.write(bytes));
          else to.write(bytes);
        });
        from.on("error", () => {});
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => opened.listen(port, "127.0.0.1", resolve));
    port = (opened.address() as { port: number }).port;
    return opened;
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy();
  }

  async function refuse(): Promise<void> {
    cut();
    await new Promise((resolve) => server.close(resolve));
  }

  const url = new URL(databaseUrl);
  url.port = String(port);
  return {
    url: url.href,
    swallow: () => void (swallowing = true),
    holdAnswers() {
      const answers = held = [];
      return () => {
        held = undefined;
        for (const answer of answers as (() => void)[]) answer();
      };
    },
    misquote(words, others) {
      misquoted = { words, others };
      return () => void (misquoted = undefined);
    },
    pass: () => void (swallowing = false),
    cut,
    refuse,
    listen: async () => void (server = await listen()),
    [Symbol.asyncDispose]: refuse,
  };
}

function replace(bytes: Buffer, { words, others }: { words: string; others: string }): void {
  for (let at = bytes.indexOf(words); at >= 0; at = bytes.indexOf(words, at)) {
    bytes.write(others, at);
  }
}
