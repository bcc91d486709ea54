/**
 * Hashes bytes on another thread, which has a copy of them once this has returned.
 *
 * @returns Their sha-256, in hex.
 */
export async function sha256Aside(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
