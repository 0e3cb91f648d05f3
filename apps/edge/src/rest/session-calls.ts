import { DEFAULT_PAGE_SESSIONS, type sessionCalls, type usageCalls, WafleetError } from '@wafleet/contract';
import type {
  SessionDirectory,
  SessionPages,
  SessionRef,
  SessionSettingsRecords,
  TenantUsage,
} from '@wafleet/store';
import { mayUseSession } from '../access/identity.js';
import { identityOf } from '../auth/request-auth.js';
import { sessionRefOf } from '../auth/session-ref.js';
import type { SessionChanges } from '../sessions/session-changes.js';
import type { RemovalOutcome, SessionRemoval } from '../sessions/session-removal.js';
import type { SessionStarter } from '../sessions/session-starter.js';
import type { HandlersOf } from './calls.js';
import { newSessionOf } from './new-session.js';
import { nextLink, sessionFilter } from './session-filter.js';
import { sessionIdOf } from './session-id.js';
import { sessionDetails, sessionView } from './session-view.js';

interface SessionCallResources {
  readonly sessions: SessionDirectory;
  readonly pages: SessionPages;
  readonly settings: SessionSettingsRecords;
  readonly changes: SessionChanges;
  readonly starter: SessionStarter;
  readonly removal: SessionRemoval;
  readonly usage: TenantUsage;
}

const STATUS_OF_REMOVAL: Readonly<Record<RemovalOutcome, number>> = {
  removed: 204,
  removing: 202,
  'still-listed': 200,
};

/** The tenant's sessions, and what they use. */
export function sessionHandlers(
  resources: SessionCallResources,
): HandlersOf<typeof sessionCalls & typeof usageCalls> {
  const { sessions, pages, settings, changes, starter, removal, usage } = resources;
  const details = async (ref: SessionRef) => {
    const [record, set] = await Promise.all([sessions.require(ref), settings.read(ref)]);
    return sessionDetails(record, set);
  };
  return {
    'create-session': async ({ body, request, reply, ids }) => {
      const { id = sessionIdOf(ids.bytes('session')) } = body ?? {};
      const identity = identityOf(request);
      if (!mayUseSession(identity, id)) {
        throw new WafleetError('FORBIDDEN', 'This API key may make the sessions in its list only.');
      }
      const ref = { tenantId: identity.tenantId, sessionId: id };
      const { sessionId, status } = await starter.create(ref, {
        ...newSessionOf(body ?? {}),
        madeBy: ids.bytes('creation').toString('base64url'),
      });
      reply.header('location', `/api/sessions/${sessionId}`);
      return { id: sessionId, status };
    },
    'list-sessions': async ({ query, request, reply }) => {
      const { tenantId, sessions: only } = identityOf(request);
      const { limit = DEFAULT_PAGE_SESSIONS, cursor } = query;
      const page = await pages.page(tenantId, { limit, cursor, only, matches: sessionFilter(query) });
      const { nextCursor } = page;
      if (nextCursor !== undefined) reply.header('link', nextLink({ ...query, limit, cursor: nextCursor }));
      const items = page.sessions.map(sessionView);
      return { items, ...(nextCursor === undefined ? {} : { nextCursor }) };
    },
    'get-session': async ({ params, request }) => details(sessionRefOf(request, params)),
    'change-session': async ({ params, body, request }) => {
      const ref = sessionRefOf(request, params);
      const takesEffect = await changes.change(ref, body, request.id);
      return { ...(await details(ref)), takesEffect };
    },
    'restart-session': async ({ params, request }) => {
      const { sessionId, status } = await starter.restart(sessionRefOf(request, params));
      return { id: sessionId, status };
    },
    'remove-session': async ({ params, query, request, reply }) => {
      const ref = sessionRefOf(request, params);
      const outcome = await removal.remove(ref, { force: query.force === 'true', requestId: request.id });
      reply.code(STATUS_OF_REMOVAL[outcome]);
      if (outcome === 'removed') return null;
      return { id: ref.sessionId, removal: outcome };
    },
    'get-usage': async ({ request }) => {
      const { tenantId, keyId } = identityOf(request);
      return usage.read(tenantId, keyId);
    },
  };
}
