import { ApiError, type CallReply, type WafleetClient } from '@wafleet/client';
import type { ErrorCode, SessionView } from '@wafleet/contract';

/** Undefined if there is no such session. */
export function findSession(client: WafleetClient, id: string): Promise<SessionView | undefined> {
  return undefinedOn('SESSION_NOT_FOUND', client.call('get-session', { params: { id } }));
}

/** Undefined while the session shows no QR code. */
export function findQr(client: WafleetClient, id: string): Promise<CallReply<'get-qr'> | undefined> {
  return undefinedOn('QR_NOT_AVAILABLE', client.call('get-qr', { params: { id } }));
}

/** No effect if there is no such session. */
export async function removeSession(client: WafleetClient, id: string): Promise<void> {
  await undefinedOn('SESSION_NOT_FOUND', client.call('remove-session', { params: { id } }));
}

/** Whether the client's API key is valid. */
export async function isKeyAccepted(client: WafleetClient): Promise<boolean> {
  return (await undefinedOn('UNAUTHORIZED', client.call('list-sessions'))) !== undefined;
}

async function undefinedOn<T>(code: ErrorCode, reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof ApiError && error.code === code) return undefined;
    throw error;
  }
}
