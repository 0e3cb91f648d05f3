import type { FastifyInstance, RouteOptions } from 'fastify';
import { type RequestAuthResources, requireApiKey } from '../auth/request-auth.js';
import { takesApiKey } from './api-docs.js';

/**
 * Makes the routes that are added from here on take an API key that has the scope which each declares as its
 * `config.scope`; the documentation tells it. A route that declares none cannot be added.
 */
export function requireScopes(app: FastifyInstance, resources: RequestAuthResources): void {
  app.addHook('onRequest', requireApiKey(resources));
  app.addHook('onRoute', (route: RouteOptions) => {
    const scope = route.config?.scope;
    if (scope === undefined) throw new Error(`no scope is declared for ${route.method} ${route.url}`);
    route.schema = { ...route.schema, security: takesApiKey(scope) };
  });
}
