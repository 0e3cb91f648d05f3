import { connectionOf } from '@wafleet/contract';
import type { ProxyErrorKind } from '@wafleet/egress';
import type { Pause } from '@wafleet/store';
import type { ConnectionState } from '@whiskeysockets/baileys';
import type { MappedEvent, SessionCondition } from './mapped-event.js';
import { type JsonObject, normalise } from './normalise.js';

/** Why a connection ended: WhatsApp's or Baileys' status code, and a sentence that holds no stanza. */
export interface DisconnectCause {
  readonly statusCode: number;
  readonly message: string;
  /** What is wrong with the session's proxy. WhatsApp was not reached then, and the code is Baileys' own. */
  readonly proxy?: ProxyErrorKind;
}

type PublicConnectionState = Pick<
  Partial<ConnectionState>,
  'connection' | 'isNewLogin' | 'isOnline' | 'receivedPendingNotifications' | 'reachoutTimeLock'
>;

/**
 * `connection.update`: the state of the connection from Baileys together with the session's own status. `connection` is
 * always present, because the contract's clients read it from every update. The QR code has an event of its own. Only
 * the code and the message of the last disconnect are published, and no code if it does not come from WhatsApp.
 */
export function mapConnection(
  { connection, isNewLogin, isOnline, receivedPendingNotifications, reachoutTimeLock }: PublicConnectionState,
  condition: SessionCondition,
  { cause, pause }: { readonly cause?: DisconnectCause | undefined; readonly pause?: Pause | undefined } = {},
): MappedEvent {
  const payload: JsonObject = {};
  const fields = {
    connection: connection ?? connectionOf(condition.status),
    ...condition,
    isNewLogin,
    isOnline,
    receivedPendingNotifications,
    reachoutTimeLock,
    lastDisconnect: cause && published(cause),
    sendsPaused: pause && toSendsPaused(pause),
  };
  for (const [field, value] of Object.entries(fields)) {
    const normalised = normalise(value);
    if (normalised !== undefined) payload[field] = normalised;
  }
  return { event: 'connection.update', payload };
}

function toSendsPaused({ remainingMs, until, reason }: Pause): JsonObject {
  if (remainingMs === 0) return { isActive: false };
  return {
    isActive: true,
    until: new Date(until).toISOString(),
    ...(reason === undefined ? {} : { reason }),
  };
}

function published({ statusCode, message, proxy }: DisconnectCause): JsonObject {
  return proxy === undefined ? { statusCode, message } : { message };
}
