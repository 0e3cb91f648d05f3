import { createHmac } from 'node:crypto';
import type { RestCall } from '@wafleet/contract';
import type { IdempotencyRecord, SessionRef } from '@wafleet/store';
import type { FastifyRequest } from 'fastify';
import { identityOf } from '../auth/request-auth.js';
import { sessionRefOf } from '../auth/session-ref.js';
import { type CallIds, idsFrom } from './call-ids.js';
import { canonicalJson } from './canonical-json.js';

/** Stands for the tenant in the calls of the administrator. No tenant has this id. */
const ADMINISTRATOR = 'administrator';
const OF_SESSION = 'POST /api/sessions/:id/';

/** A request with an `Idempotency-Key`. */
export interface KeyedRequest {
  readonly record: IdempotencyRecord;
  /** Of the parameters, the body and the file. It does not show them without the key. */
  readonly fingerprint: string;
  /**
   * The ids of what the request makes. They come from what the record is named by and from the fingerprint, so edges
   * agree on them even if the record is lost, and another request has other ids.
   */
  readonly ids: CallIds;
}

interface Carried {
  readonly call: RestCall;
  readonly request: FastifyRequest;
  /** Of a request with a file: what distinguishes the file from others. */
  readonly also: string | undefined;
}

/**
 * Reads a request with a key. The key counts for one tenant, session and route. An API key with a list of sessions has
 * keys of its own for calls of no session, so that it gets no answer about sessions beyond its list.
 * @throws {WafleetError} SESSION_NOT_FOUND if the session is not in the list of the API key.
 */
export function readKeyedRequest(key: string, { call, request, also }: Carried): KeyedRequest {
  const { route, access } = call;
  const { tenantId, sessionId, holder } = access === 'admin' ? ofAdministrator() : ownerOf(route, request);
  const scope = [sessionId ?? '', holder, route, key];
  const fingerprint = hmac(key, checkedParts({ call, request, also })).toString('base64url', 0, 16);
  return {
    record: {
      tenantId,
      sessionId,
      digest: hmac(tenantId, ['record', ...scope]).toString('base64url', 0, 16),
    },
    fingerprint,
    ids: idsFrom(hmac(tenantId, ['ids', ...scope, fingerprint])),
  };
}

/** What was checked by the schemas of the call. Anything else has no effect. */
function checkedParts({ call, request, also }: Carried): readonly unknown[] {
  const { params, query, body } = request;
  const parts = [call.params && params, call.query && query, call.body && body];
  return [...parts.map((part) => part ?? null), ...(also === undefined ? [] : [also])];
}

interface Owner extends Partial<SessionRef> {
  readonly tenantId: string;
  /** The API key whose calls these are; empty for all of the tenant. */
  readonly holder: string;
}

function ofAdministrator(): Owner {
  return { tenantId: ADMINISTRATOR, holder: '' };
}

function ownerOf(route: string, request: FastifyRequest): Owner {
  if (route.startsWith(OF_SESSION)) {
    return { ...sessionRefOf(request, request.params as { readonly id: string }), holder: '' };
  }
  const { tenantId, keyId, sessions } = identityOf(request);
  return { tenantId, holder: sessions === undefined ? '' : keyId };
}

function hmac(secret: string, parts: readonly unknown[]): Buffer {
  return createHmac('sha256', secret).update(canonicalJson(parts)).digest();
}
