import type { SecretKind } from './secret-index.js';

/** Where something was found. */
export interface Place {
  /** What a process wrote or was started with, what came to a client, or what was written to Redis. */
  readonly kind: 'process' | 'client' | 'redis';
  /** The bytes right before it, at most 512; `''` if not known. */
  readonly before: string;
  /** The key that it was written to and, for an entry of a log, the event's name. */
  readonly redis?: { readonly key: string; readonly event: string | undefined };
}

const IN_QR_CODE = /"qr":"https:\/\/wa\.me\/settings\/linked_devices#[^"\s]*$/;

/**
 * The only places where a secret may be, by its kind. The owner of a session gets its QR codes and pairing codes by
 * REST and as events, and by REST what its passkey needs. Holders get API keys and secrets of a connection in one answer.
 */
const ALLOWED: Readonly<Record<SecretKind, (place: Place) => boolean>> = {
  credential: () => false,
  environment: () => false,
  'made-by-test': () => false,
  'adv-secret': ({ kind, before, redis }) =>
    (kind === 'client' && IN_QR_CODE.test(before)) ||
    (redis?.event === 'auth.qr' && IN_QR_CODE.test(before)) ||
    /^wf:\{[^}]+\}:qr:/.test(redis?.key ?? ''),
  'pairing-code': ({ kind, before, redis }) =>
    (kind === 'client' && before.endsWith('"code":"')) ||
    (redis?.event === 'auth.pairing-code' && before.endsWith('"code":"')) ||
    /^wf:\{[^}]+\}:pairing:/.test(redis?.key ?? ''),
  // It is on its way to the browser that signs.
  'passkey-challenge': ({ kind, before }) => kind === 'client' && before.endsWith('"challenge":"'),
  // It is on its way to the worker, as other commands are.
  'passkey-signature': ({ redis }) => /^wf:\{workers\}:inbox:/.test(redis?.key ?? ''),
  'passkey-code': ({ kind, before }) => kind === 'client' && before.endsWith('"code":"'),
  'passkey-token': ({ kind, before }) => kind === 'client' && /#wafleet-passkey=[\w-]*$/.test(before),
  'api-key': ({ kind, before }) => kind === 'client' && before.endsWith('"key":"'),
  'resume-secret': ({ kind, before }) => kind === 'client' && before.endsWith('"pid":"'),
  'connection-id': ({ kind, before }) => kind === 'client' && before.endsWith('0{"sid":"'),
  'peer-token': ({ redis }) => /^wf:edge:/.test(redis?.key ?? ''),
};

export function isAllowed(kind: SecretKind, place: Place): boolean {
  return ALLOWED[kind](place);
}

/** Whether a secret may be shown only once, in the answer that creates it. */
export function isToldOnce(kind: SecretKind): boolean {
  return kind === 'api-key';
}
