import { commitRoutes } from './commit-routes.ts';
import { configRoute } from './config-route.ts';
import { metricsRoute } from './metrics-route.ts';
import { namespaceRoutes } from './namespace-routes.ts';
import { planRoutes } from './plan-routes.ts';
import type { Route } from './route.ts';
import { storageRoutes } from './storage-routes.ts';
import { tableRoutes } from './table-routes.ts';
import { tokenRoute } from './token-route.ts';
import { viewRoutes } from './view-routes.ts';

const catalogRoutes: readonly Route[] = [
  tokenRoute,
  ...namespaceRoutes,
  ...tableRoutes,
  ...commitRoutes,
  ...viewRoutes,
  metricsRoute,
  ...planRoutes,
  ...storageRoutes,
];

/** All that is answered below `/iceberg`, and all that `/v1/config` advertises: one list, so that the two cannot differ. */
export const routes: readonly Route[] = [configRoute(catalogRoutes), ...catalogRoutes];
