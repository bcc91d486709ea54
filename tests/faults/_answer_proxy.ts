import { createConnection, createServer, type Socket } from "node:net";

/** A TCP proxy in front of PostgreSQL that can lose one answer: what was asked is done, but nobody hears of it. */
export interface AnswerProxy extends AsyncDisposable {
  /** The same database through the proxy. */
  url: string;
  /** Requests so far. */
  requests(): number;
  /** Cuts the connection when the answer to this request arrives, counted from the first as 1. */
  loseAnswer(request: number): void;
}

/** Starts such a proxy. */
export async function answerProxy(databaseUrl: string): Promise<AnswerProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let requests = 0;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = createConnection(Number(target.port), target.hostname);
    let isLosing = false;
    client.on("data", (bytes) => {
      isLosing ||= ++requests === lost;
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (isLosing) client.destroy();
      else client.write(bytes);
    });
    for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(databaseUrl);
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    requests: () => requests,
    loseAnswer: (request) => void (lost = request),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
