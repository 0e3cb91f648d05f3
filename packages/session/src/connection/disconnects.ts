import { proxyErrorIn } from '@wafleet/egress';
import { backoff } from '@wafleet/runtime';
import type { ConnectionState } from '@whiskeysockets/baileys';
import type { DisconnectCause } from '../mapping/connection.js';

/** The session's reaction to the end of its connection. `wait` is in ms. */
export type Reaction =
  | { readonly kind: 'reconnect'; readonly reason: string; readonly wait: 'back-off' | number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'new-qr-round' }
  | { readonly kind: 'logged-out'; readonly reason: string };

/** The reaction to the code alone. `replaced`: reconnect after that wait, unless it has happened too often. */
type CodeReaction = Reaction | { readonly kind: 'replaced'; readonly wait: number };

const REPLACED_WAIT_MS = 30_000;
const SHORT_JITTER_MS = 15_000;
/**
 * WhatsApp does not say how long to wait. Most refusals follow a burst, and half a minute is enough then; each further
 * refusal doubles the wait. A third of the wait is jitter, so that sessions that were refused together do not return
 * together.
 */
const rateLimitWaitMs = backoff({ baseMs: 30_000, capMs: 300_000, jitter: 1 / 3 });
/** The longest delay of a Node.js timer, 24 days. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Causes that do not go away with time; they need a person. */
const FATAL: Readonly<Record<number, string>> = {
  403: 'forbidden',
  406: 'banned',
  411: 'multi-device-not-enabled',
};

const REASONS: Readonly<Record<number, string>> = {
  405: 'client-outdated',
  408: 'timed-out',
  428: 'connection-lost',
  503: 'unavailable',
};

/** The cause for a connection that was open and delivered nothing (see SilenceDetector). */
export const QUIET: DisconnectCause = { statusCode: 428, message: 'WhatsApp delivered nothing for too long' };

/** The cause for a connection that is ended because another proxy was set. */
export const PROXY_CHANGED: DisconnectCause = { statusCode: 428, message: 'another proxy was set' };

/** The cause for a connection whose QR codes were all shown, and none was scanned. */
export const QR_CODES_USED_UP: DisconnectCause = { statusCode: 408, message: 'no QR code was scanned' };

/**
 * The reaction to a disconnect, by its code:
 *
 * | code | reaction |
 * |---|---|
 * | 515 restart required | reconnect at once; the credentials are flushed before |
 * | 401 logged out, device removed | linked: end, wipe the keys. Not linked, or no login yet: back off, link again |
 * | 402 temporarily banned | reconnect when the ban is over; end if WhatsApp gives no duration |
 * | 403, 406, 411 | end: a person must act |
 * | 405 client outdated | back off; all connections are held for a while (see connect-limiter.ts) |
 * | 408 with the QR codes used up | a new round of QR codes, for as long as linking may take |
 * | 440 replaced by another connection | after 30 s or more, unless too often or soon after an import (see reconnect-policy.ts) |
 * | 429 | after 20 to 30 s; each further one within half an hour doubles the wait, up to five minutes |
 * | `QUIET` | reconnect at once, at most once in some hours (see silence-detector.ts) |
 * | `PROXY_CHANGED` | reconnect at once |
 * | none, since the proxy failed | back off; never without the proxy |
 * | any other: 408, 428, 500, 503 … | back off, without a limit of attempts |
 *
 * The reaction is written to the status with a fenced write. If the code was 440 because another worker has taken over
 * the session, this write is refused, and the session ends.
 *
 * @param occasion.random from [0, 1), for jitter.
 * @param occasion.banLeftMs the remaining time of the ban that WhatsApp gave.
 * @param occasion.isDeviceRemoved the result of `isDeviceRemoved`.
 * @param occasion.refusals how often WhatsApp has refused the session with 429 recently, before this time.
 */
export function reactionTo(
  { statusCode, message, proxy }: DisconnectCause,
  {
    isLinked,
    banLeftMs,
    random,
    isDeviceRemoved = false,
    refusals = 0,
  }: {
    isLinked: boolean;
    banLeftMs?: number | undefined;
    random: number;
    isDeviceRemoved?: boolean;
    refusals?: number;
  },
): CodeReaction {
  if (message === QUIET.message) return { kind: 'reconnect', reason: 'quiet', wait: 0 };
  if (message === PROXY_CHANGED.message) return { kind: 'reconnect', reason: 'proxy-changed', wait: 0 };
  if (proxy !== undefined) return { kind: 'reconnect', reason: `proxy-${proxy}`, wait: 'back-off' };
  const fatal = FATAL[statusCode];
  if (fatal !== undefined) return { kind: 'failed', reason: fatal };
  switch (statusCode) {
    case 515:
      return { kind: 'reconnect', reason: 'restart-required', wait: 0 };
    case 401:
      return isLinked
        ? { kind: 'logged-out', reason: isDeviceRemoved ? 'device-removed' : 'logged-out' }
        : { kind: 'reconnect', reason: 'link-refused', wait: 'back-off' };
    case 402:
      return banLeftMs === undefined
        ? { kind: 'failed', reason: 'temporarily-banned' }
        : {
            kind: 'reconnect',
            reason: 'temporarily-banned',
            wait: Math.min(LONGEST_WAIT_MS, banLeftMs + Math.floor(random * SHORT_JITTER_MS)),
          };
    case 408:
      if (message === QR_CODES_USED_UP.message) return { kind: 'new-qr-round' };
      break;
    case 440:
      return { kind: 'replaced', wait: REPLACED_WAIT_MS + Math.floor(random * SHORT_JITTER_MS) };
    case 429:
      return { kind: 'reconnect', reason: 'rate-limited', wait: rateLimitWaitMs(refusals, random) };
  }
  return { kind: 'reconnect', reason: REASONS[statusCode] ?? 'connection-failed', wait: 'back-off' };
}

/** Returns code and message of Baileys' `lastDisconnect`. Without a code it is 500, as in Baileys itself. */
export function causeOf(lastDisconnect: ConnectionState['lastDisconnect']): DisconnectCause {
  const error = lastDisconnect?.error;
  if (error === undefined) return { statusCode: 500, message: 'the connection ended' };
  const proxyError = proxyErrorIn(error);
  const proxy = proxyError && { message: proxyError.message, proxy: proxyError.kind };
  return { statusCode: 'output' in error ? error.output.statusCode : 500, message: error.message, ...proxy };
}

/**
 * Whether WhatsApp ended the connection with `<conflict type="device_removed">`: the device was removed while it was
 * connected. WhatsApp does not say whether its owner removed it on the phone or WhatsApp did. A device that was removed
 * while it was offline is refused at the login, without this type.
 */
export function isDeviceRemoved(lastDisconnect: ConnectionState['lastDisconnect']): boolean {
  const error = lastDisconnect?.error;
  if (error === undefined || !('data' in error)) return false;
  // Baileys passes on the first child of the stream error with its error.
  const node: unknown = error.data;
  if (typeof node !== 'object' || node === null || !('attrs' in node)) return false;
  const { attrs } = node;
  return typeof attrs === 'object' && attrs !== null && 'type' in attrs && attrs.type === 'device_removed';
}

/**
 * Returns how long a ban lasts that WhatsApp reports at the login, ms: `<failure reason="402" expire="seconds">`.
 * Undefined if WhatsApp gives no duration. Source of the attribute: whatsmeow, TemporaryBan.
 */
export function banLeftMs(lastDisconnect: ConnectionState['lastDisconnect']): number | undefined {
  const error = lastDisconnect?.error;
  if (error === undefined || !('data' in error)) return undefined;
  // Baileys passes on the attributes of the stanza with its error.
  const attributes: unknown = error.data;
  if (typeof attributes !== 'object' || attributes === null || !('expire' in attributes)) return undefined;
  const seconds = Number(attributes.expire);
  return seconds >= 0 ? seconds * 1_000 : undefined;
}
