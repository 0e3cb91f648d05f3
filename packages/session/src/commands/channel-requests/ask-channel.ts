import { WafleetError } from '@wafleet/contract';
import { change, read } from '../whatsapp-requests.js';

const NOT_FOUND = 404;
/** WhatsApp has two codes for what only admins may do. */
const NOT_ADMIN: ReadonlySet<unknown> = new Set([401, 403]);

export function channelNotFound(cause?: unknown): WafleetError {
  const options = cause === undefined ? undefined : { cause };
  return new WafleetError('CHANNEL_NOT_FOUND', 'WhatsApp knows no such channel.', undefined, options);
}

/** WhatsApp's code for a refusal; undefined for other errors. */
function codeOf(error: unknown): unknown {
  return error instanceof WafleetError && error.code === 'WHATSAPP_REFUSED' ? error.details?.code : undefined;
}

/** The error of what any follower may do, by WhatsApp's code for it. */
function toFollowerError(error: unknown): unknown {
  return codeOf(error) === NOT_FOUND ? channelNotFound(error) : error;
}

/** The error of what only admins may do, by WhatsApp's code for it. */
export function toAdminError(error: unknown): unknown {
  if (!(error instanceof WafleetError) || !NOT_ADMIN.has(codeOf(error))) return toFollowerError(error);
  const { messageId } = error.details ?? {};
  const details = messageId === undefined ? undefined : { messageId };
  const message = 'Only admins of the channel may do this.';
  return new WafleetError('NOT_CHANNEL_ADMIN', message, details, { cause: error });
}

/**
 * Awaits a request about a channel that changes nothing.
 * @throws {WafleetError} CHANNEL_NOT_FOUND, and as `read` does.
 */
export function readOfChannel<T>(asked: Promise<T>): Promise<T> {
  return explained(read(asked), toFollowerError);
}

/**
 * Awaits what any follower may change.
 * @throws {WafleetError} CHANNEL_NOT_FOUND, and as `change` does.
 */
export function changeAsFollower<T>(asked: Promise<T>): Promise<T> {
  return explained(change(asked), toFollowerError);
}

/**
 * Awaits what only admins of a channel may change.
 * @throws {WafleetError} CHANNEL_NOT_FOUND, NOT_CHANNEL_ADMIN, and as `change` does.
 */
export function changeAsAdmin<T>(asked: Promise<T>): Promise<T> {
  return explained(change(asked), toAdminError);
}

async function explained<T>(answer: Promise<T>, explain: (error: unknown) => unknown): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw explain(error);
  }
}
