import { afterAll, beforeAll, describe } from 'vitest';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { PostgresServer } from '../environment/postgres.ts';
import { catalogBehaviours } from './catalog-behaviours.ts';

let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await PostgresServer.start();
});

afterAll(async () => {
  await postgres.stop();
});

describe('the Postgres catalog', () => {
  catalogBehaviours(async () => {
    const database = await postgres.createDatabase();
    const uri = postgres.uri(database);
    return {
      uri,
      connect: (clock) => openCatalog(uri, clock),
      remove: () => postgres.dropDatabase(database),
    };
  });
});
