import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { RowsAhead, spliceRows } from "../../activities/rows_ahead.ts";

/** A message as the driver writes it. */
function message(kind: string, text: string): Buffer {
  const bytes = Buffer.from(`${kind}\0\0\0\0${text}\0`);
  bytes.writeUInt32BE(bytes.length - 1, 1);
  return bytes;
}

function splice(...messages: Buffer[]) {
  const socket = { isSilent: false };
  const written: Uint8Array[] = [];
  const isSpliced = spliceRows(socket, Buffer.concat(messages), (bytes) => written.push(bytes));
  return { isSpliced, written: Buffer.concat(written).toString("latin1") };
}

const data = (text: string) => `d\0\0\0${String.fromCharCode(4 + text.length)}${text}`;
const DONE = "c\0\0\0\x04";

Deno.test({
  name: "spliceRows() sends rows right behind their statement, and what comes next behind them",
  permissions: "none",
  fn() {
    const first = new RowsAhead([Buffer.from("1\n2"), Buffer.from("3\n")]);
    const second = new RowsAhead([Buffer.from("4\n")]);
    const lock = message("Q", "lock table a");
    const copyFirst = message("Q", `copy a from stdin ${first.mark}`);
    const update = message("P", `update b ${second.mark}`);
    const copySecond = message("Q", `copy b from stdin ${second.mark}`);
    const sync = Buffer.from("S\0\0\0\x04");
    const spliced = splice(lock, copyFirst, update, copySecond, sync);
    assert.equal(
      spliced.written,
      `${lock}${copyFirst}${data("1\n2")}${data("3\n")}${DONE}${update}${copySecond}` +
        `${data("4\n")}${DONE}${sync}`,
    );
    assert.ok(spliced.isSpliced && first.wereSent && second.wereSent);
    assert.deepEqual(splice(copyFirst), { isSpliced: false, written: "" }, "once");
  },
});

Deno.test({
  name: "spliceRows() leaves alone what it does not know",
  permissions: "none",
  fn() {
    const rows = new RowsAhead([Buffer.from("1\n")]);
    for (
      const bytes of [
        message("Q", "copy a from stdin"),
        message("Q", `copy a from stdin ${rows.mark} where true`),
        message("P", `copy a from stdin ${rows.mark}`),
        // Of TLS: its second record would have to be as long as this says.
        Buffer.from("\x17\x03\x03\x40\x11secret"),
        Buffer.from("Q\0"),
        Buffer.alloc(0),
      ]
    ) assert.deepEqual(splice(bytes), { isSpliced: false, written: "" });
    assert.ok(!rows.wereSent);
    rows.forget();
  },
});
