import type { Profile } from "./profile.ts";
import { REES46 } from "./rees46.ts";

/** Shops that can be generated, by name. */
export const PROFILES: ReadonlyMap<string, Profile> = new Map([["rees46", REES46]]);
