import { type eventCalls, parseSubscribeRequest, WafleetError } from '@wafleet/contract';
import type { SessionDirectory } from '@wafleet/store';
import type { onRequestAsyncHookHandler } from 'fastify';
import { authorizeSubscription } from '../access/authorize-subscription.js';
import { identityOf } from '../auth/request-auth.js';
import { requireSessions } from '../sessions/require-sessions.js';
import type { SseClients } from '../sse/sse-clients.js';
import { SubscriptionSet } from '../streams/subscription-set.js';
import type { HandlersOf } from './calls.js';

interface EventCallResources {
  readonly sessions: SessionDirectory;
  readonly sse: SseClients;
}

/** Common names of a parameter that holds an API key, in lower case and without `-` and `_`. */
const NAMES_OF_KEYS = new Set([
  'key',
  'apikey',
  'xapikey',
  'token',
  'accesstoken',
  'auth',
  'authorization',
  'bearer',
]);

/**
 * Refuses requests with an API key in their URL, before anything else is checked: servers and proxies write URLs to
 * their logs.
 */
export const refuseKeyInUrl: onRequestAsyncHookHandler = async (request) => {
  const name = Object.keys(request.query ?? {}).find((each) =>
    NAMES_OF_KEYS.has(each.toLowerCase().replaceAll(/[-_]/g, '')),
  );
  if (name === undefined) return;
  const message =
    'must be in the header X-Api-Key or Authorization: Bearer, not in the URL: URLs are written to logs';
  throw new WafleetError('VALIDATION_FAILED', `An API key ${message}.`, {
    issues: [{ path: `querystring.${name}`, message }],
  });
};

/** The events of a tenant, as Server-Sent Events. */
export function eventHandlers({ sessions, sse }: EventCallResources): HandlersOf<typeof eventCalls> {
  return {
    'stream-events': async ({ query, headers, request, reply }) => {
      const identity = identityOf(request);
      const { events, sessions: named, since } = query;
      const from = headers['last-event-id'] || since;
      const wanted = parseSubscribeRequest({
        events,
        ...(named === undefined ? {} : { sessions: named }),
        ...(from === undefined ? {} : { since: from }),
      });
      const allowed = authorizeSubscription(identity, wanted);
      if (wanted.sessions !== undefined) await requireSessions(sessions, identity.tenantId, wanted.sessions);
      await sse.serve({
        identity,
        subscription: SubscriptionSet.of(allowed),
        since: wanted.since,
        isIntroduced: wanted.isSinceSnapshot,
        response: reply.raw,
        takeOver: () => {
          reply.hijack();
          for (const [name, value] of Object.entries(reply.getHeaders())) {
            if (value !== undefined) reply.raw.setHeader(name, value);
          }
        },
      });
      return reply;
    },
  };
}
