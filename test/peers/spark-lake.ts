import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Lakehouse } from './lakehouse.ts';
import { keyOf, RestServer } from './rest-server.ts';
import { SparkSession } from './spark-session.ts';

/** A Spark on a server of its own, the namespace `shared` made. */
export interface SparkLake {
  readonly spark: SparkSession;
  /** The same tables by GraphQL. */
  readonly lakehouse: Lakehouse;
  /** The server's own, its warehouse in it. */
  readonly directory: string;
  stop(): Promise<void>;
}

/** Spark signs in by `credential`, so with tokens that it fetches and exchanges. */
export async function startSparkLake(): Promise<SparkLake> {
  const server = await RestServer.start();
  try {
    const catalog = { uri: server.catalogUri, credential: `keeper:${keyOf('keeper')}`, 'cache-enabled': 'false' };
    const spark = await SparkSession.start(await mkdtemp(join(server.directory, 'spark-')), catalog);
    await spark.sql('CREATE NAMESPACE shared');
    const stop = async (): Promise<void> => {
      await spark.stop();
      await server.stop();
    };
    return { spark, lakehouse: new Lakehouse(server.api('keeper')), directory: server.directory, stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
