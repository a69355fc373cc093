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
}
