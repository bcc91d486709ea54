import { renderEnvExample } from "./render_settings.ts";

if (import.meta.main) {
  await Deno.writeTextFile(new URL("../.env.example", import.meta.url), renderEnvExample());
}
