/** A table's place in the catalog. Printed as `ns.table`; a part that holds a dot or a quote is in double quotes. */
export interface TableIdentifier {
  readonly namespace: readonly string[];
  readonly name: string;
}
