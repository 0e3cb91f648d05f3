import { type CloseReason, type mediaCalls, WafleetError } from '@wafleet/contract';
import type { TenantLeases } from '@wafleet/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../access/identity.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import { identityOf } from '../auth/request-auth.js';
import { sessionRefOf } from '../auth/session-ref.js';
import type { MediaDownload, MediaDownloads } from '../media/media-downloads.js';
import { mediaHeaders } from '../media/media-headers.js';
import { onAnswerEnd } from './answer-end.js';
import type { HandlersOf } from './calls.js';

interface MediaCallResources {
  /** Bounds the downloads of a tenant on all edges together. */
  readonly leases: Pick<TenantLeases, 'take'>;
  readonly media: MediaDownloads;
  readonly keys: KeyAuthenticator;
  /** Closes what a key has open when the key ends. */
  readonly connections: KeyConnections;
}

/**
 * Returns a signal that aborts when the client goes or when its API key ends. The reason is the error that the client
 * then gets. An answer that has begun is cut off when the key ends.
 * @throws {WafleetError} UNAUTHORIZED if the key was revoked meanwhile.
 */
function clientOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { keys, connections }: Pick<MediaCallResources, 'keys' | 'connections'>,
): AbortSignal {
  const client = new AbortController();
  const identity = identityOf(request);
  if (keys.isRevoked(identity.keyId)) throw keyEnded('KEY_REVOKED', identity);
  const leave = connections.enter(identity, (reason) => {
    client.abort(keyEnded(reason, identity));
    if (reply.raw.headersSent) reply.raw.destroy();
  });
  // The client may have gone while its key was checked.
  onAnswerEnd(reply, (isSent) => {
    leave();
    if (!isSent) client.abort();
  });
  return client.signal;
}

function keyEnded(reason: CloseReason, { expiresAt }: Identity): WafleetError {
  if (reason !== 'KEY_EXPIRED' || expiresAt === undefined) {
    return new WafleetError('UNAUTHORIZED', 'The API key was revoked.');
  }
  const expiredAt = new Date(expiresAt).toISOString();
  return new WafleetError('KEY_EXPIRED', `The API key expired at ${expiredAt}.`, { expiredAt });
}

function sendFile(reply: FastifyReply, messageId: string, { file, length, content }: MediaDownload): void {
  reply.headers(mediaHeaders(file, messageId));
  if (length !== undefined) reply.header('content-length', length);
  reply.send(content);
}

/** Files of messages. */
export function mediaHandlers({
  media,
  leases,
  ...access
}: MediaCallResources): HandlersOf<typeof mediaCalls> {
  return {
    'get-media': async ({ params, request, reply }) => {
      const client = clientOf(request, reply, access);
      const { messageId } = params;
      const ref = { ...sessionRefOf(request, params), messageId, requestId: request.id };
      const known = request.headers['if-none-match'];
      if (known !== undefined) {
        const headers = mediaHeaders(await media.find(ref), messageId);
        if (headers.etag === known) return reply.code(304).headers(headers).send();
      }
      const release = await leases.take(ref.tenantId, 'mediaDownloads');
      onAnswerEnd(reply, release);
      sendFile(reply, messageId, await media.open(ref, client));
      return reply;
    },
    'head-media': async ({ params, request, reply }) => {
      const { messageId } = params;
      const file = await media.find({ ...sessionRefOf(request, params), messageId, requestId: request.id });
      return reply.headers(mediaHeaders(file, messageId)).send();
    },
  };
}
