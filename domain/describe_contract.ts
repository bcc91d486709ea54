import type { Contract, ContractColumn } from "./contract.ts";

/**
 * The contract's columns as a Markdown table, for the documentation.
 *
 * @param contract The contract.
 * @returns Markdown that ends with a line end.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SHOP_EVENTS } from "./shop_events.ts";
 *
 * assert.ok(describeContract(SHOP_EVENTS).includes("| `quantity` | integer | 1 to 1000, required |"));
 * ```
 */
export function describeContract({ columns }: Contract): string {
  const head = [
    "| column | type | rule | meaning | also read from | also read as |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  return [...head, ...columns.map(describeColumn)].join("\n") + "\n";
}

function describeColumn(column: ContractColumn): string {
  const { name, postgresType, ruleText, description, headerAliases, valueAliases } = column;
  const spellings = Object.entries(valueAliases ?? {})
    .map(([spelling, value]) => `\`${spelling}\` = \`${value}\``);
  const cells = [
    `\`${name}\``,
    postgresType,
    ruleText,
    description,
    headerAliases.map((alias) => `\`${alias}\``).join(", "),
    spellings.join(", "),
  ];
  return `| ${cells.join(" | ")} |`;
}
