import type { SecretKind } from './secret-index.js';

/** Where something was found. */
export interface Place {
  /** What a process wrote or was started with, what came to a client, or what was written to Redis. */
  readonly kind: 'process' | 'client' | 'redis';
  /** What stands right before it, up to 512 bytes; `''` where that is not known. */
  readonly before: string;
  /** The key that it was written to, and for an entry of a log the event's name. */
  readonly redis?: { readonly key: string; readonly event: string | undefined };
}

const IN_QR_CODE = /"qr":"https:\/\/wa\.me\/settings\/linked_devices#[^"\s]*$/;

/**
 * The places at which a secret may stand, by its kind; there are no others. What links a phone is for its owner, who
 * gets it by REST and as an event; keys and secrets of a connection are told to their holder once.
 */
const ALLOWED: Readonly<Record<SecretKind, (place: Place) => boolean>> = {
  credential: () => false,
  environment: () => false,
  'adv-secret': ({ kind, before, redis }) =>
    (kind === 'client' && IN_QR_CODE.test(before)) ||
    (redis?.event === 'auth.qr' && IN_QR_CODE.test(before)) ||
    /^wf:\{[^}]+\}:qr:/.test(redis?.key ?? ''),
  'pairing-code': ({ kind, before, redis }) =>
    (kind === 'client' && before.endsWith('"code":"')) ||
    (redis?.event === 'auth.pairing-code' && before.endsWith('"code":"')) ||
    /^wf:\{[^}]+\}:pairing:/.test(redis?.key ?? ''),
  'api-key': ({ kind, before }) => kind === 'client' && before.endsWith('"key":"'),
  'resume-secret': ({ kind, before }) => kind === 'client' && before.endsWith('"pid":"'),
  'connection-id': ({ kind, before }) => kind === 'client' && before.endsWith('0{"sid":"'),
  'peer-token': ({ redis }) => /^wf:edge:/.test(redis?.key ?? ''),
};

export function isAllowed(kind: SecretKind, place: Place): boolean {
  return ALLOWED[kind](place);
}

/** Secrets that are told once, in the answer that makes them: a second time is one too many. */
export function isToldOnce(kind: SecretKind): boolean {
  return kind === 'api-key';
}
