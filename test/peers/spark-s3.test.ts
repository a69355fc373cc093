import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStorage } from '../../src/storage/routed-storage.ts';
import { mavenJar } from '../environment/maven.ts';
import { describeWith } from '../environment/tool.ts';
import { type ObjectStore, startObjectStore } from '../s3/seaweedfs.ts';
import { Lakehouse } from './lakehouse.ts';
import { keyOf, RestServer } from './rest-server.ts';
import { SparkSession } from './spark-session.ts';

/** Spark reaches S3 by Iceberg's own client, without keys: by storage credentials in one session, by signatures in the other. */
describeWith(['java', 'mvn', 'python3'], 'Spark on S3, without keys of its own', () => {
  let store: ObjectStore;
  let server: RestServer;
  let lakehouse: Lakehouse;

  beforeAll(async () => {
    store = await startObjectStore();
    const prefix = `s3://${store.bucket}/scoped`;
    const credential = { prefix, accessKeyId: 'scoped-writer', secretAccessKey: 'secret-of-scoped-writer' };
    server = await RestServer.start({
      warehouse: `${prefix}/warehouse`,
      environment: {
        ...store.environment,
        ICECORE_CLIENT_S3_ENDPOINT: store.environment.AWS_ENDPOINT_URL_S3 ?? '',
        ICECORE_CLIENT_S3_REGION: 'us-east-1',
        ICECORE_STORAGE_CREDENTIALS: JSON.stringify([credential]),
      },
    });
    lakehouse = new Lakehouse(server.api('keeper'));
  });

  afterAll(async () => {
    await server?.stop();
    await store?.stop();
  });

  /** Of a table, as the store has them. */
  async function manifestLists(table: string): Promise<readonly string[]> {
    const warehouse = `s3://${store.bucket}/scoped/warehouse`;
    const storage = await openStorage({ warehouse, cacheDir: `${server.directory}/listing`, environment: store.environment });
    try {
      const found = await Array.fromAsync(storage.list(`${warehouse}/shared`));
      return found
        .map(({ location }) => location)
        .filter((location) => location.includes(`/${table}-`) && location.includes('/snap-'));
    } finally {
      await storage.close();
    }
  }

  test.each(['vended-credentials', 'remote-signing'])(
    'with %s it makes tables, writes, changes and reads them',
    async (delegation) => {
      const spark = await SparkSession.start(
        server.directory,
        {
          uri: server.catalogUri,
          token: keyOf('keeper'),
          'header.X-Iceberg-Access-Delegation': delegation,
          'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
        },
        [mavenJar('org.apache.iceberg', 'iceberg-aws-bundle', '1.11.0')],
      );
      const name = `shared.${delegation.replace('-', '_')}`;
      try {
        await spark.sql('CREATE NAMESPACE IF NOT EXISTS shared');
        await spark.sql(
          `CREATE TABLE ${name} USING iceberg PARTITIONED BY (day) AS SELECT id, DATE '2026-01-01' AS day FROM range(5)`,
        );
        await spark.sql(`INSERT INTO ${name} VALUES (7, DATE '2026-01-02')`);
        await spark.sql(`DELETE FROM ${name} WHERE id = 3`);
        await lakehouse.write(name, [{ id: 8, day: '2026-01-03' }]);
        await spark.sql(`REFRESH TABLE ${name}`);
        expect(await spark.sql(`SELECT id FROM ${name} ORDER BY id`)).toEqual([[0], [1], [2], [4], [7], [8]]);
        expect(await lakehouse.rows(name)).toHaveLength(6);
        await spark.sql(
          `CALL lake.system.expire_snapshots(table => '${name}', older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1)`,
        );
        expect(await spark.sql(`SELECT count(*) FROM ${name}`)).toEqual([[6]]);
        // They go many at a time, each request signed with its body.
        expect(await manifestLists(delegation.replace('-', '_'))).toHaveLength(1);
        // With PURGE Spark removes files itself, after the table is gone: then nothing is signed for it any more.
        await spark.sql(`DROP TABLE ${name}${delegation === 'remote-signing' ? '' : ' PURGE'}`);
      } finally {
        await spark.stop();
      }
    },
  );
});
