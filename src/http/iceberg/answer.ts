import { printJson } from '../../iceberg/json.ts';

export interface IcebergAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON as text or bytes, or in pieces where it has no bound. None for HEAD and 204. */
  readonly body?: string | Uint8Array | AsyncIterable<string>;
}

/** A value as JSON, bigints as bare integers. */
export function jsonAnswer(value: unknown, headers: Readonly<Record<string, string>> = {}): IcebergAnswer {
  return { status: 200, headers, body: printJson(value) };
}

export const noContent: IcebergAnswer = { status: 204 };
