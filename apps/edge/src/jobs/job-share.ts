import { COMMANDS, limitError, TENANT_LIMITS } from '@wafleet/contract';
import type { TenantRates } from '@wafleet/store';

const BUCKET = { limit: 'restUnits' } as const;
/** The share of its rate that a tenant's jobs leave to its other calls. */
const LEFT_TO_CALLS = 0.5;

const { cost } = COMMANDS['send-message'].rest;
/** What a message costs, as if it were sent by a call of its own. */
const MESSAGE_UNITS = typeof cost === 'number' ? cost : cost.of({ headers: {}, query: {} });

/**
 * Charges a message of a job to the rate of its tenant. Jobs take what is above half of the bucket, so that calls find
 * the other half. It counts for no API key: the key of the request may be gone when the message is sent.
 * @throws {WafleetError} RATE_LIMITED
 */
export async function chargeJobMessage(rates: TenantRates, tenantId: string): Promise<void> {
  const [state] = await rates.look(tenantId, [BUCKET]);
  if (state !== undefined && state.remaining - MESSAGE_UNITS < state.limit * LEFT_TO_CALLS) {
    const { windowS } = TENANT_LIMITS[BUCKET.limit];
    const retryAfterMs = Math.max(1, Math.ceil(state.resetMs - windowS * 1000 * (1 - LEFT_TO_CALLS)));
    throw limitError(BUCKET.limit, 'RATE_LIMITED', { limit: state.limit, retryAfterMs });
  }
  await rates.require(tenantId, BUCKET, { cost: MESSAGE_UNITS });
}
