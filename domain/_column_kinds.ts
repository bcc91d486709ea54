import { z } from "zod";
import type { ColumnKind } from "./contract.ts";
import type { RecordFaultCode } from "./faults.ts";
import {
  isPlainAscii,
  isPlainUuid,
  plainPrice,
  plainText,
  plainUuid,
  plainWholeNumber,
} from "./_plain_values.ts";
import { EARLIEST_MICROS, epochMicros, plainTimestamp } from "./_timestamp.ts";

/** Of any version, in either case. */
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const DECIMAL = /^-?\d+(?:\.\d{1,2})?$/;
const WHOLE = /^-?\d+$/;
/** Category Cc but tab, line feed and carriage return. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

/** One check of a rule; of several that fail in a column, the first is reported. */
function check(code: RecordFaultCode, expected: string, passes: (text: string) => boolean) {
  return [passes, { error: expected, params: { code } }] as const;
}

const filled = check("missing_value", "a value", (text) => text !== "");

/** A UUID of any version, in lower case; optional: null when empty. */
export function uuid({ required }: { required: boolean }): ColumnKind {
  const isUuid = check(
    "invalid_uuid",
    "a UUID",
    (text) => UUID.test(text) || (text === "" && !required),
  );
  const cell = required ? z.string().refine(...filled) : z.string();
  return {
    postgresType: "uuid",
    required,
    nullable: !required,
    ruleText: required ? "required" : "may be empty",
    rule: cell.refine(...isUuid).transform((text) => text === "" ? null : text.toLowerCase()),
    plain: required ? plainUuid : (text) => text === "" ? null : plainUuid(text),
    inPlace: isPlainUuid,
  };
}

/** RFC 3339 with zone, to the microsecond, from 2000 on; canonical in UTC with `Z`. */
export function timestamp({ range }: { range: string }): ColumnKind {
  return {
    postgresType: "timestamptz",
    required: true,
    nullable: false,
    ruleText: `RFC 3339 with zone, at most 6 decimals; ${range}`,
    rule: z.string()
      .refine(...filled)
      .refine(...check(
        "invalid_timestamp",
        "an RFC 3339 time with zone and at most 6 decimals",
        (text) => utcText(text) !== undefined,
      ))
      .transform((text) => utcText(text)!)
      .refine(...check(
        "out_of_range",
        range,
        // Years before 0 and after 9999 have no RFC 3339 form: toISOString() writes them signed.
        (text) => /^\d/.test(text) && epochMicros(text) >= EARLIEST_MICROS,
      )),
    plain: plainTimestamp,
    inPlace: "timestamp",
  };
}

/** The canonical form of an RFC 3339 time, by way of `Date`. */
function utcText(text: string): string | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", sign, zoneHour, zoneMinute] =
    match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    return undefined;
  }
  const offset = Number(`${sign ?? "+"}1`) *
    (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0));
  date.setUTCHours(Number(hour), Number(minute) - offset, Number(second));
  const decimals = fraction.replace(/0+$/, "");
  return date.toISOString().replace(".000Z", decimals === "" ? "Z" : `.${decimals}Z`);
}

/** Text of a length in code points, without control characters. */
export function text(
  { shortest, longest, recurs = true }: { shortest: 0 | 1; longest: number; recurs?: boolean },
): ColumnKind {
  const required = shortest === 1;
  let rule = z.string();
  if (required) rule = rule.refine(...filled);
  return {
    postgresType: "text",
    required,
    nullable: false,
    ruleText: `${shortest} to ${longest} characters, ${
      required ? "required" : "may be empty"
    }; no control characters but tabs and line breaks`,
    rule: rule
      .refine(...check(
        "control_character",
        "text without control characters",
        (text) => !CONTROL.test(text),
      ))
      .refine(...check(
        "too_long",
        `at most ${longest} characters`,
        (text) => text.length <= longest || [...text].length <= longest,
      )),
    plain: required
      ? (text) => text === "" ? undefined : plainText(text, longest)
      : (text) => plainText(text, longest),
    ...(!recurs && {
      inPlace: (bytes: Uint8Array, from: number, to: number) =>
        to - from <= longest && isPlainAscii(bytes, from, to),
    }),
  };
}

/** An amount of money: numeric(12,2), from 0, kept as text with 2 decimals. */
export function price(): ColumnKind {
  return {
    postgresType: "numeric(12,2)",
    required: true,
    nullable: false,
    ruleText: "0 to 9999999999.99, at most 2 decimals, decimal point, required",
    rule: z.string()
      .refine(...filled)
      .refine(...check(
        "invalid_number",
        "a number with at most 2 decimals, after a point",
        (text) => DECIMAL.test(text),
      ))
      .refine(...check(
        "out_of_range",
        "a number from 0 to 9999999999.99",
        (text) => /^0*\d{1,10}(?:\.|$)/.test(text),
      ))
      .transform((text) => {
        const [whole, decimals = ""] = text.split(".");
        return `${whole!.replace(/^0+(?=\d)/, "")}.${decimals.padEnd(2, "0")}`;
      }),
    plain: plainPrice,
  };
}

/** A whole number from 1. */
export function wholeNumber({ largest }: { largest: number }): ColumnKind {
  return {
    postgresType: "integer",
    required: true,
    nullable: false,
    ruleText: `1 to ${largest}, required`,
    rule: z.string()
      .refine(...filled)
      .refine(...check("invalid_number", "a whole number", (text) => WHOLE.test(text)))
      .refine(...check(
        "out_of_range",
        `a whole number from 1 to ${largest}`,
        (text) => Number(text) >= 1 && Number(text) <= largest,
      ))
      .transform((text) => String(Number(text))),
    plain: (text) => plainWholeNumber(text, largest),
  };
}

/** One of a list of values, in any letter case or by alias. */
export function oneOf(
  values: readonly string[],
  { postgresType, expected, aliases = {} }: {
    postgresType: string;
    /** Reads on after "expected". */
    expected: string;
    /** Lower-case spelling → value. */
    aliases?: Readonly<Record<string, string>>;
  },
): ColumnKind {
  const canonical = new Map(Object.entries(aliases));
  for (const value of values) canonical.set(value, value).set(value.toLowerCase(), value);
  const lookUp = (text: string) => canonical.get(text) ?? canonical.get(text.toLowerCase());
  return {
    postgresType,
    required: true,
    nullable: false,
    ruleText: `${expected}, in any letter case, required`,
    rule: z.string()
      .refine(...filled)
      .refine(...check("unknown_value", expected, (text) => lookUp(text) !== undefined))
      .transform((text) => lookUp(text)!),
    plain: lookUp,
    values,
    valueAliases: aliases,
  };
}
