import type { HelperLink } from '../helper-link.js';
import { isFields } from '../json-fields.js';
import { readPasskeyView } from '../passkey-view.js';
import type { ApiCall, CallOutcome } from './messages.js';

/** Below the 30 s after which Chromium ends a service worker that waits for an answer. */
const TIMEOUT_MS = 25_000;

/** Makes a call with the link's token, without cookies and without following redirects. Never rejects. */
export async function callApi({ apiUrl, token }: HelperLink, call: ApiCall): Promise<CallOutcome> {
  try {
    const { path, body } = requestOf(call);
    const response = await fetch(`${apiUrl}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return outcomeOf(response, await response.json());
  } catch {
    return { kind: 'unreachable' };
  }
}

function requestOf(call: ApiCall): { path: string; body?: object } {
  switch (call.name) {
    case 'get':
      return { path: '/api/passkey' };
    case 'sign':
      return { path: '/api/passkey/assertion', body: call.assertion };
    case 'confirm':
      return { path: '/api/passkey/confirmation', body: { matches: call.matches } };
  }
}

function outcomeOf({ ok, status }: Response, answer: unknown): CallOutcome {
  if (ok) {
    const view = readPasskeyView(answer);
    return view === undefined ? { kind: 'unreachable' } : { kind: 'view', view };
  }
  const error = isFields(answer) && isFields(answer.error) ? answer.error : {};
  if (typeof error.code !== 'string') return { kind: 'unreachable' };
  return { kind: 'refused', status, code: error.code };
}
