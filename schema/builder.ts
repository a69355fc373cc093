import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import type { ApiContext } from '../resolvers/context.ts';

/** Configuration alone: types are declared beside the queries and mutations about them. Fields are not null unless they say so. */
export const builder = new SchemaBuilder<{
  Context: ApiContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    BigInt: { Input: bigint; Output: bigint };
    /** Microseconds since the epoch. */
    DateTime: { Input: bigint; Output: bigint };
    /** Microseconds. */
    Duration: { Input: bigint; Output: bigint };
    JSON: { Input: unknown; Output: unknown };
    Bytes: { Input: Uint8Array; Output: Uint8Array };
  };
}>({ plugins: [DataloaderPlugin], defaultFieldNullability: false });

builder.queryType({});
builder.mutationType({});
builder.subscriptionType({});
