import type { FaultPipeline } from "./_fault_pipeline.ts";

/** A login of the database. */
export interface IngestLogin extends AsyncDisposable {
  name: string;
  password: string;
  /** The pipeline's database under this login. */
  url: string;
}

/** Makes a login for loading that is not superuser, so that limits hold for it; dropped at the end. */
export async function ingestLogin({ sql, databaseUrl }: FaultPipeline): Promise<IngestLogin> {
  const name = `loader_${crypto.randomUUID().slice(0, 8)}`;
  const password = `password-${crypto.randomUUID()}`;
  const url = new URL(databaseUrl);
  [url.username, url.password] = [name, password];
  await sql.unsafe(`create role ${name} login password '${password}' in role clickledger_ingest`);
  return {
    name,
    password,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await sql.unsafe(`drop role ${name}`);
    },
  };
}
