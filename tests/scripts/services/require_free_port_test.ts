import assert from "node:assert/strict";
import { findFreePort } from "../../../scripts/services/require_free_port.ts";

Deno.test("findFreePort() gives a process no port twice", () => {
  const ports = Array.from({ length: 2_000 }, findFreePort);
  assert.equal(new Set(ports).size, ports.length);
});
