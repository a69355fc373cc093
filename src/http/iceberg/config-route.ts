import { IcecoreError } from '../../errors.ts';
import { restKeyPromisedMs } from '../../limits.ts';
import { endpointProperties } from '../../rest-catalog/s3-endpoint.ts';
import { canonicalLocation } from '../../storage/location.ts';
import { jsonAnswer } from './answer.ts';
import type { IcebergRequest, Route } from './route.ts';
import { endpointOf } from './route-table.ts';

/** Names of the one warehouse of a server, besides its location. */
const warehouseNames: ReadonlySet<string> = new Set(['', 'main', 'icecore']);

/** ISO 8601; keys are remembered for longer, so that a client's clock may be slow. */
const keyLifetime = `PT${restKeyPromisedMs / 60_000}M`;

/** `GET /v1/config`: what the server has is read off the routes themselves. `others` are all but this one. */
export function configRoute(others: readonly Route[]): Route {
  const route: Route = {
    operation: 'getConfig',
    method: 'GET',
    path: '/v1/config',
    answer: async (request) => {
      checkWarehouse(request);
      const endpoints = served.filter(({ isServed }) => isServed?.(request) ?? true).map(endpointOf);
      const { clientEndpoint } = request.icecore.tableAccesses.signing;
      const defaults = clientEndpoint === null ? {} : endpointProperties(clientEndpoint);
      return jsonAnswer({ defaults, overrides: {}, endpoints, 'idempotency-key-lifetime': keyLifetime });
    },
  };
  const served = [route, ...others];
  return route;
}

function checkWarehouse({ icecore, query }: IcebergRequest): void {
  const name = query.get('warehouse') ?? '';
  if (warehouseNames.has(name) || isLocation(name, icecore.tables.warehouse)) return;
  throw new IcecoreError('NOT_FOUND', `Warehouse does not exist: ${name}. This server has one, called main.`, {
    context: { missing: 'warehouse' },
  });
}

function isLocation(name: string, warehouse: string): boolean {
  try {
    return canonicalLocation(name).replace(/\/+$/, '') === warehouse;
  } catch {
    return false;
  }
}
