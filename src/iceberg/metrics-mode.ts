import { IcecoreError } from '../errors.ts';
import { boundLengthDefault } from './file-metrics.ts';
import { columnPath, type Schema } from './schema.ts';

/** What manifests keep of a column: nothing, counts, or counts and bounds; bounds of texts and bytes cut to a length, or whole (table property `write.metadata.metrics.*`). */
export type MetricsMode = { readonly kind: 'none' | 'counts' | 'full' } | { readonly kind: 'truncate'; readonly length: number };

const defaultMode: MetricsMode = { kind: 'truncate', length: boundLengthDefault };
const noMetricsMode: MetricsMode = { kind: 'none' };
const columnPrefix = 'write.metadata.metrics.column.';
/** Java's default: beyond so many columns no metrics are kept, since every reader of the manifest pays for them. */
const inferredColumnsDefault = 100;

/**
 * The mode of each leaf column, given in order, by field id: what the table says of the column by its path, else what it says of all, else
 * `truncate(16)` for the first hundred, or as many as it says, and `none` for the rest. Throws FAILED_PRECONDITION for a mode that is none.
 */
export function metricsModes(
  properties: Readonly<Record<string, string>>,
  schema: Schema,
  leafIds: readonly number[],
): ReadonlyMap<number, MetricsMode> {
  const all = properties['write.metadata.metrics.default'];
  const inferred = Number(properties['write.metadata.metrics.max-inferred-column-defaults'] ?? inferredColumnsDefault);
  const fallback = (index: number): MetricsMode => {
    if (all !== undefined) return parseMode(all, 'write.metadata.metrics.default');
    return index < inferred ? defaultMode : noMetricsMode;
  };
  return new Map(
    leafIds.map((id, index) => {
      const property = `${columnPrefix}${columnPath(schema, id) ?? ''}`;
      const own = Object.hasOwn(properties, property) ? properties[property] : undefined;
      return [id, own === undefined ? fallback(index) : parseMode(own, property)];
    }),
  );
}

function parseMode(text: string, property: string): MetricsMode {
  const mode = text.trim().toLowerCase();
  if (mode === 'none' || mode === 'counts' || mode === 'full') return { kind: mode };
  const length = Number(/^truncate\((\d{1,6})\)$/.exec(mode)?.[1]);
  if (length > 0) return { kind: 'truncate', length };
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `The table property ${property} is "${text}"; it takes none, counts, truncate(LENGTH) or full.`,
    { context: { property } },
  );
}
