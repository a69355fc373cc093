/** What the tests use of parquetjs-lite, which comes without types. */
declare module 'parquetjs-lite' {
  export interface ParquetCursor {
    next(): Promise<Readonly<Record<string, unknown>> | null>;
  }

  export interface ParquetReader {
    readonly metadata: {
      readonly row_groups: readonly { readonly columns: readonly { readonly meta_data: { readonly codec: number } }[] }[];
    };
    getCursor(columns?: readonly string[]): ParquetCursor;
    close(): Promise<void>;
  }

  export const ParquetReader: { openFile(path: string): Promise<ParquetReader> };

  export interface ParquetWriter {
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }

  export class ParquetSchema {
    constructor(columns: Readonly<Record<string, object>>);
  }

  export interface ParquetWriterOptions {
    readonly useDataPageV2?: boolean;
    readonly rowGroupSize?: number;
    readonly pageSize?: number;
  }

  export const ParquetWriter: {
    openFile(schema: ParquetSchema, path: string, options?: ParquetWriterOptions): Promise<ParquetWriter>;
  };
}
