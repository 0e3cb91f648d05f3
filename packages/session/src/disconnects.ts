import type { ConnectionState } from '@whiskeysockets/baileys';
import type { DisconnectCause } from './mapping/connection.js';

/** What a session does about the end of its connection. `wait` is ms. */
type Reaction =
  | { readonly kind: 'reconnect'; readonly reason: string; readonly wait: 'back-off' | number }
  | { readonly kind: 'new-qr-round' }
  | { readonly kind: 'logged-out'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

const REPLACED_WAIT_MS = 30_000;
const RATE_LIMIT_WAIT_MS = 120_000;
const RATE_LIMIT_JITTER_MS = 180_000;

/** Causes that waiting does not heal; they need a person. */
const FATAL: Readonly<Record<number, string>> = {
  402: 'temporarily-banned',
  403: 'forbidden',
  405: 'client-outdated',
  406: 'banned',
  411: 'multi-device-not-enabled',
};

const REASONS: Readonly<Record<number, string>> = {
  408: 'timed-out',
  428: 'connection-lost',
  503: 'unavailable',
};

/** Baileys' own words when a QR round ended without a scan (Socket/socket.js). */
const QR_REFS_ENDED = 'QR refs attempts ended';

/**
 * The reaction to a disconnect, by its code:
 *
 * | code | reaction |
 * |---|---|
 * | 515 restart required | reconnect at once; the credentials are flushed before |
 * | 401 logged out, device removed | linked: end, wipe the keys. Not linked yet: back off, link anew |
 * | 402, 403, 405, 406, 411 | end: a person has to look |
 * | 408 with the QR codes used up | a new round of QR codes, for as long as linking may take |
 * | 440 replaced by another connection | after 30 s; the write of the status reads the ownership again |
 * | 429 | after two to five minutes |
 * | any other: 408, 428, 500, 503 … | back off, for ever |
 *
 * @param random from [0, 1), for jitter.
 */
export function reactionTo(
  { statusCode, message }: DisconnectCause,
  linked: boolean,
  random: number,
): Reaction {
  const fatal = FATAL[statusCode];
  if (fatal !== undefined) return { kind: 'failed', reason: fatal };
  switch (statusCode) {
    case 515:
      return { kind: 'reconnect', reason: 'restart-required', wait: 0 };
    case 401:
      return linked
        ? { kind: 'logged-out', reason: 'logged-out' }
        : { kind: 'reconnect', reason: 'link-refused', wait: 'back-off' };
    case 408:
      if (message.includes(QR_REFS_ENDED)) return { kind: 'new-qr-round' };
      break;
    case 440:
      return { kind: 'reconnect', reason: 'replaced', wait: REPLACED_WAIT_MS };
    case 429: {
      const wait = RATE_LIMIT_WAIT_MS + Math.floor(random * RATE_LIMIT_JITTER_MS);
      return { kind: 'reconnect', reason: 'rate-limited', wait };
    }
  }
  return { kind: 'reconnect', reason: REASONS[statusCode] ?? 'connection-failed', wait: 'back-off' };
}

/** Code and sentence of Baileys' `lastDisconnect`; 500 where it gives no code, as Baileys itself does. */
export function causeOf(lastDisconnect: ConnectionState['lastDisconnect']): DisconnectCause {
  const error = lastDisconnect?.error;
  if (error === undefined) return { statusCode: 500, message: 'the connection ended' };
  return { statusCode: 'output' in error ? error.output.statusCode : 500, message: error.message };
}
