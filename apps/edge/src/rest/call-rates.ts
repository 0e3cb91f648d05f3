import { limitError, TENANT_LIMITS } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { BucketState, TenantRates } from '@wafleet/store';
import type { FastifyRequest } from 'fastify';
import type { ChargeCall } from '../auth/request-auth.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What a call of this route costs of the rates of its API key and tenant, in units; a unit is about the work of a
     * small read. Every route behind `requireApiKey` declares it.
     */
    cost?: number | ((request: FastifyRequest) => number);
  }
}

interface CallRatesOptions {
  readonly rates: TenantRates;
  readonly onExceeded: (limit: 'rest_units' | 'rest_units_per_key') => void;
  readonly logger: Logger;
}

/** The names of the two buckets in the headers. */
const POLICIES = ['tenant', 'key'] as const;
const { windowS } = TENANT_LIMITS.restUnits;

/**
 * Bounds what REST calls of each API key and of each tenant cost, on all edges together. Reports to clients how much is
 * left, in the headers of draft-ietf-httpapi-ratelimit-headers. Without Redis nothing is bounded: a call that needs
 * Redis then fails by itself, and one that does not costs others nothing.
 * @throws {WafleetError} RATE_LIMITED
 */
export function chargeCalls({ rates, onExceeded, logger }: CallRatesOptions): ChargeCall {
  return async (request, reply, { tenantId, keyId }) => {
    const { cost: declared } = request.routeOptions.config;
    if (declared === undefined) throw new Error(`no cost is declared for ${request.routeOptions.url}`);
    const cost = typeof declared === 'number' ? declared : declared(request);
    const taken = await rates
      .take(tenantId, [{ limit: 'restUnits' }, { limit: 'restUnitsPerKey', of: keyId }], {
        cost,
      })
      .catch((error: unknown) => {
        logger.debug({ err: error, tenantId, keyId }, 'a call could not be counted');
      });
    if (taken === undefined) return cost;
    reply.headers(rateLimitHeaders(taken.buckets));
    if (taken.isTaken) return cost;
    const [ofTenant, ofKey] = taken.buckets;
    const isOfTenant = ofTenant !== undefined && ofTenant.remaining < Math.min(cost, ofTenant.limit);
    onExceeded(isOfTenant ? 'rest_units' : 'rest_units_per_key');
    throw limitError(isOfTenant ? 'restUnits' : 'restUnitsPerKey', 'RATE_LIMITED', {
      limit: (isOfTenant ? ofTenant : ofKey)?.limit ?? 0,
      retryAfterMs: taken.retryAfterMs,
    });
  };
}

function rateLimitHeaders(buckets: readonly BucketState[]): Record<string, string> {
  const named = buckets.map((bucket, index) => ({ ...bucket, name: POLICIES[index] ?? 'other' }));
  return {
    'ratelimit-policy': named.map(({ name, limit }) => `"${name}";q=${limit};w=${windowS}`).join(', '),
    ratelimit: named
      .map(({ name, remaining, resetMs }) => `"${name}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`)
      .join(', '),
  };
}
