import type { ConnectionState } from '@whiskeysockets/baileys';
import type { DisconnectCause } from '../mapping/connection.js';

/** What a session does about the end of its connection. `wait` is ms. */
export type Reaction =
  | { readonly kind: 'reconnect'; readonly reason: string; readonly wait: 'back-off' | number }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'new-qr-round' }
  | { readonly kind: 'logged-out'; readonly reason: string };

/** What the code alone calls for. `replaced`: to reconnect after that wait, unless it has happened too often. */
type CodeReaction = Reaction | { readonly kind: 'replaced'; readonly wait: number };

const REPLACED_WAIT_MS = 30_000;
const SHORT_JITTER_MS = 15_000;
/**
 * WhatsApp does not say how long a pause it wants. Most refusals are of a burst, which half a minute lets pass; each
 * further one doubles the wait. The other half is jitter, so that sessions refused together do not return together.
 */
const RATE_LIMIT_WAIT_MS = { first: 20_000, longest: 200_000 };
/** The longest time that a timer of Node takes, 24 days. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Causes that waiting does not heal; they need a person. */
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

/** The end of a connection that was open and delivered nothing (see SilenceDetector). */
export const QUIET: DisconnectCause = { statusCode: 428, message: 'WhatsApp delivered nothing for too long' };

/** Baileys' own words when a QR round ended without a scan (Socket/socket.js). */
const QR_REFS_ENDED = 'QR refs attempts ended';

/**
 * The reaction to a disconnect, by its code:
 *
 * | code | reaction |
 * |---|---|
 * | 515 restart required | reconnect at once; the credentials are flushed before |
 * | 401 logged out, device removed | linked: end, wipe the keys. Not linked yet, or never logged in: back off, link anew |
 * | 402 banned for a while | reconnect when the ban is over; end where WhatsApp does not say when |
 * | 403, 406, 411 | end: a person has to look |
 * | 405 client outdated | back off; the gate lets nobody connect for a while (see connect-gate.ts) |
 * | 408 with the QR codes used up | a new round of QR codes, for as long as linking may take |
 * | 440 replaced by another connection | after 30 s or more, unless too often (see reconnecting.ts) |
 * | 429 | after 20 to 30 s, twice as long after each further one within half an hour, up to five minutes |
 * | `QUIET` | reconnect at once, at most once in some hours (see quiet-watch.ts) |
 * | any other: 408, 428, 500, 503 … | back off, for ever |
 *
 * Whatever the reaction is, the status that tells of it is a fenced write: a session that 440 was told of because
 * another worker has taken it over finds that out there, and ends.
 *
 * @param occasion.random from [0, 1), for jitter.
 * @param occasion.banLeftMs as WhatsApp gave it.
 * @param occasion.isDeviceRemoved as `isDeviceRemoved` says.
 * @param occasion.refusals how often WhatsApp has refused the session with 429 lately, before this time.
 */
export function reactionTo(
  { statusCode, message }: DisconnectCause,
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
      if (message.includes(QR_REFS_ENDED)) return { kind: 'new-qr-round' };
      break;
    case 440:
      return { kind: 'replaced', wait: REPLACED_WAIT_MS + Math.floor(random * SHORT_JITTER_MS) };
    case 429: {
      const { first, longest } = RATE_LIMIT_WAIT_MS;
      const wait = Math.floor(Math.min(longest, first * 2 ** Math.min(refusals, 10)) * (1 + random / 2));
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

/**
 * Whether WhatsApp ended the connection with `<conflict type="device_removed">`: the device was removed while it was
 * connected. WhatsApp does not say by whom: by its owner on the phone, or by itself. A device that was removed while
 * it was away is refused at the login, without this word.
 */
export function isDeviceRemoved(lastDisconnect: ConnectionState['lastDisconnect']): boolean {
  const error = lastDisconnect?.error;
  if (error === undefined || !('data' in error)) return false;
  // Baileys hands the first child of the stream error on with its error.
  const node: unknown = error.data;
  if (typeof node !== 'object' || node === null || !('attrs' in node)) return false;
  const { attrs } = node;
  return typeof attrs === 'object' && attrs !== null && 'type' in attrs && attrs.type === 'device_removed';
}

/**
 * How long a ban of which WhatsApp tells at the login lasts, ms: `<failure reason="402" expire="seconds">`. Undefined
 * when it does not say. Source of the attribute: whatsmeow, TemporaryBan.
 */
export function banLeftMs(lastDisconnect: ConnectionState['lastDisconnect']): number | undefined {
  const error = lastDisconnect?.error;
  if (error === undefined || !('data' in error)) return undefined;
  // Baileys hands the attributes of the stanza on with its error.
  const attributes: unknown = error.data;
  if (typeof attributes !== 'object' || attributes === null || !('expire' in attributes)) return undefined;
  const seconds = Number(attributes.expire);
  return seconds >= 0 ? seconds * 1_000 : undefined;
}
