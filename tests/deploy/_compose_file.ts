import { parse } from "yaml";
import { projectPath } from "../harness.ts";

/** A service of docker-compose.yml, as far as tests look at it. */
export interface ComposeService {
  image: string;
  build?: string;
  entrypoint?: string[];
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
}

/** The file with its anchors resolved; variables stand in it as they are written. */
export interface ComposeFile {
  services: Record<string, ComposeService>;
  volumes: Record<string, null>;
}

/** Path of the file. */
export const COMPOSE_FILE = projectPath("docker-compose.yml");

/** Reads docker-compose.yml. */
export async function readComposeFile(): Promise<ComposeFile> {
  return parse(await Deno.readTextFile(COMPOSE_FILE), { merge: true });
}

/** Puts values in the place of `${NAME:?message}`. */
export function substitute(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => values[name] ?? "");
}

/** Those of the project's own image. */
export function ownServices({ services }: ComposeFile): [name: string, ComposeService][] {
  return Object.entries(services).filter(([, { build }]) => build !== undefined);
}

/** The Dockerfile's instructions, continued lines joined. */
export async function readDockerfile(): Promise<{ name: string; text: string }[]> {
  const text = await Deno.readTextFile(projectPath("Dockerfile"));
  const lines = text.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "").split("\n");
  return lines.filter((line) => line !== "").map((line) => {
    const [name = "", ...rest] = line.split(" ");
    return { name, text: rest.join(" ") };
  });
}

/** What the image sets in the environment. */
export async function imageEnvironment(): Promise<Record<string, string>> {
  const settings = (await readDockerfile()).filter(({ name }) => name === "ENV")
    .flatMap(({ text }) => text.trim().split(/\s+/));
  return Object.fromEntries(settings.map((setting) => setting.split("=") as [string, string]));
}
