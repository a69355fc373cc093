import type { FileMetadata } from '../../parquet/file-metadata.ts';
import { ByteLru } from '../../tables/byte-lru.ts';

/** The footers of the Parquet files that were opened last, parsed: whoever decodes their groups soon need not read them again. */
export class ParsedFooters {
  readonly #kept: ByteLru<FileMetadata>;

  constructor(bytesMax: number) {
    this.#kept = new ByteLru(bytesMax);
  }

  keep(location: string, sizeBytes: number, metadata: FileMetadata): void {
    this.#kept.set(nameOf(location, sizeBytes), metadata, footerBytes(metadata));
  }

  /** As the footer of a file that has this group alone; null where it is not known any more. */
  ofGroup(location: string, sizeBytes: number, ordinal: number): FileMetadata | null {
    const metadata = this.#kept.get(nameOf(location, sizeBytes));
    const group = metadata?.rowGroups[ordinal];
    if (metadata === undefined || group === undefined) return null;
    return { rowCount: group.rowCount, columns: metadata.columns, rowGroups: [group] };
  }
}

/** What a footer takes in memory, about. */
export function footerBytes({ rowGroups, columns }: FileMetadata): number {
  const chunks = rowGroups.reduce((sum, { chunks }) => sum + chunks.length, 0);
  return 1000 + 200 * chunks + 300 * columns.length;
}

function nameOf(location: string, sizeBytes: number): string {
  return `${sizeBytes} ${location}`;
}
