import type { FastifyInstance, RouteOptions } from 'fastify';
import { type ApiKeyResources, requireApiKey } from '../auth/request-auth.js';
import { takesApiKey } from './api-docs.js';

/**
 * Makes the routes that are added from here on require an API key with the scope that each declares as its
 * `config.scope`, and charges `config.cost` to the key's rate. The documentation shows the scope. A route that declares
 * none cannot be added.
 */
export function requireScopes(app: FastifyInstance, resources: ApiKeyResources): void {
  app.addHook('onRequest', requireApiKey(resources));
  app.addHook('onRoute', (route: RouteOptions) => {
    const { scope, cost } = route.config ?? {};
    if (scope === undefined) throw new Error(`no scope is declared for ${route.method} ${route.url}`);
    if (cost === undefined) throw new Error(`no cost is declared for ${route.method} ${route.url}`);
    route.schema = { ...route.schema, security: takesApiKey(scope) };
  });
}
