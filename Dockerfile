# syntax=docker/dockerfile:1
# One image for migrations, watcher, worker and commands; docker-compose.yml says how each is run.
FROM denoland/deno:bin-2.9.6 AS deno

# Debian, not Alpine: the native bridge of Temporal's SDK is built for glibc.
FROM debian:trixie-slim
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
COPY --from=deno /deno /usr/local/bin/deno
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin clickledger \
  && mkdir /app && chown clickledger: /app
USER clickledger
WORKDIR /app
ENV DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1

# Packages first, as the lock names them: they change less often than the source.
COPY --chown=clickledger deno.json deno.lock ./
RUN deno install --frozen
COPY --chown=clickledger LICENSE README.md ./
COPY --chown=clickledger sql ./sql
COPY --chown=clickledger domain ./domain
COPY --chown=clickledger workflows ./workflows
COPY --chown=clickledger activities ./activities
COPY --chown=clickledger dashboard ./dashboard
COPY --chown=clickledger scripts ./scripts

# In the home, which is all that the permission sets of deno.json allow to write. A volume that is mounted on files/ begins
# with the owner that it has here.
ENV CLICKLEDGER_HOME=/app/.clickledger \
  CLICKLEDGER_CACHE=/app/.clickledger/cache \
  CLICKLEDGER_INBOX=/app/.clickledger/files/inbox \
  CLICKLEDGER_ARCHIVE=/app/.clickledger/files/archive \
  CLICKLEDGER_FAILED=/app/.clickledger/files/failed
RUN mkdir -p .clickledger/files && deno run -A scripts/bundle.ts

# The flags are those of `deno task dev`: see docs/performance.md, Memory.
ENTRYPOINT ["deno", "run", "--quiet", "--cached-only", "--v8-flags=--max-semi-space-size=16,--heap-growing-percent=80"]
CMD ["--permission-set=query", "scripts/sql.ts", "--help"]
