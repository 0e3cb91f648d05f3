import { setTimeout as delay } from 'node:timers/promises';
import { Emitter } from '@socket.io/redis-emitter';
import { formatEventId } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import {
  ApiKeys,
  connectRedis,
  EventLog,
  type Fence,
  Ownership,
  SessionDirectory,
  TenantDirectory,
} from '@wafleet/store';
import type { z } from 'zod';
import { operation, serveOperations } from '../../harness/serve-operations.js';
import { EVENT_ID, PAYLOADS } from '../payloads.js';
import {
  type Audience,
  type ContenderName,
  floorChannel,
  type Published,
  prepareRequest,
  publishRequest,
  SENT_AT,
  sentAtNow,
} from '../protocol.js';
import { NAMESPACE } from '../raw-client.js';

/** Acts as the workers: appends with the product's own script, or publishes like a contender's own publisher. */

const SESSION = 'shop-1';
const WORKER = 'benchmark';
/** Number of events that are sent before waiting for all their answers. */
const SENT_AT_ONCE = 256;
const LOG_LENGTH = 50_000;

const [redisUrl = ''] = process.argv.slice(2);
const logger = createLogger({ app: 'benchmark', level: 'warn' });
const redis = connectRedis({ url: redisUrl, role: 'command', name: 'publisher', logger });
const log = new EventLog(redis, { maxLength: LOG_LENGTH });
const emitter = new Emitter(redis, {}, NAMESPACE);
const fences = new Map<string, Fence>();
let turn = 0;

interface Template {
  readonly event: (typeof PAYLOADS)[number]['event'];
  readonly payload: object;
  /** The payload's text after its first field. */
  readonly rest: string;
}

const templates: readonly Template[] = PAYLOADS.map(({ event, payload }) => ({
  event,
  payload,
  rest: `",${JSON.stringify(payload).slice(1)}`,
}));

async function prepare({ tenants }: z.infer<typeof prepareRequest>): Promise<Audience[]> {
  const directory = new TenantDirectory(redis);
  const sessions = new SessionDirectory(redis);
  const ownership = new Ownership(redis);
  const apiKeys = new ApiKeys(redis);
  const prepareOne = async (_: unknown, index: number): Promise<Audience> => {
    const { id: tenantId } = await directory.create(`tenant ${index}`);
    const ref = { tenantId, sessionId: SESSION };
    await sessions.create(ref);
    const claim = await ownership.claim(ref, { worker: WORKER });
    if ('refusedBy' in claim) throw new Error(`${claim.refusedBy.worker} owns a session of the benchmark`);
    fences.set(tenantId, claim.fence);
    const { key } = await apiKeys.create(tenantId);
    return { tenantId, apiKey: key };
  };
  const audiences: Audience[] = [];
  while (audiences.length < tenants) {
    const count = Math.min(SENT_AT_ONCE, tenants - audiences.length);
    audiences.push(...(await Promise.all(Array.from({ length: count }, prepareOne))));
  }
  return audiences;
}

const publishOne: Readonly<
  Record<ContenderName, (tenantId: string, template: Template, kept: boolean) => Promise<unknown>>
> = {
  product: async (tenantId, { event, rest }) => {
    const fence = fences.get(tenantId);
    if (fence === undefined) throw new Error('the tenant was not prepared');
    const [position] = await log.append(fence, [{ event, body: `{${SENT_AT}${sentAtNow()}${rest}` }]);
    return position && formatEventId(position);
  },
  floor: async (tenantId, { event, rest }, kept) => {
    const body = `{"eventId":"${EVENT_ID}",${SENT_AT}${sentAtNow()}${rest}`;
    const channel = floorChannel(tenantId);
    const added = kept && redis.xadd(`${channel}:log`, 'MAXLEN', '~', LOG_LENGTH, '*', 'e', event, 'b', body);
    await redis.spublish(channel, `42${NAMESPACE},["${event}",${body}]`);
    await added;
  },
  peer: async (tenantId, { event, payload }) => {
    emitter.to(tenantId).emit(event, { eventId: EVENT_ID, sentAt: sentAtNow(), ...payload });
  },
};

async function publish(request: z.infer<typeof publishRequest>): Promise<Published> {
  const { contender, tenants, events, perSecond, kept } = request;
  const begun = performance.now();
  let underWay: Promise<unknown>[] = [];
  let last: unknown;
  const settle = async () => {
    last = (await Promise.all(underWay)).at(-1) ?? last;
    underWay = [];
    // The emitter does not return the promise of its command.
    if (contender === 'peer') await redis.ping();
  };
  const due = () => {
    if (perSecond === undefined) return events;
    return Math.min(events, Math.ceil(((performance.now() - begun) * perSecond) / 1_000));
  };
  for (let sent = 0; sent < events; ) {
    for (; sent < due() && underWay.length < SENT_AT_ONCE; sent += 1) {
      const tenantId = tenants[turn % tenants.length];
      const template = templates[turn % templates.length];
      if (tenantId === undefined || template === undefined) throw new Error('there is nothing to publish');
      underWay.push(publishOne[contender](tenantId, template, kept));
      turn += 1;
    }
    if (underWay.length >= SENT_AT_ONCE || sent === events) await settle();
    else await delay(1);
  }
  const elapsedMs = performance.now() - begun;
  const behindMs = perSecond === undefined ? 0 : elapsedMs - (events * 1_000) / perSecond;
  return { elapsedMs, behindMs, ...(typeof last === 'string' ? { position: last } : {}) };
}

serveOperations({
  prepare: operation(prepareRequest, prepare),
  publish: operation(publishRequest, publish),
});
