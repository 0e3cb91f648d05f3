import { type CloseReason, messageIdSchema, WafleetError } from '@wafleet/contract';
import type { TenantLeases } from '@wafleet/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../auth/identity.js';
import type { KeyAuthenticator } from '../auth/key-authenticator.js';
import type { KeyConnections } from '../auth/key-connections.js';
import { identityOf } from '../auth/request-auth.js';
import type { MediaDownload, MediaDownloads } from '../media/media-downloads.js';
import { mediaHeaders } from '../media/media-headers.js';
import { errorResponses } from './api-docs.js';
import { sessionParamsSchema, sessionRefOf } from './session-params.js';

interface MediaRoutesOptions {
  /** Bounds the downloads of a tenant on all edges together. */
  readonly leases: Pick<TenantLeases, 'take'>;
  readonly media: MediaDownloads;
  readonly keys: KeyAuthenticator;
  /** By which the end of a key reaches what it has open. */
  readonly connections: KeyConnections;
}

const PATH = '/api/sessions/:id/messages/:messageId/media';

const schema = {
  description:
    'The image, video, audio, document or sticker of a message of the last seven days, decrypted; 304 where `If-None-Match` names it. The answer breaks off, and never ends regularly, where the file turns out not to be the one that the message tells of.',
  tags: ['messages'],
  params: sessionParamsSchema.extend({ messageId: messageIdSchema }),
  response: {
    200: {
      description: 'The file, with its own type',
      content: { '*/*': { schema: z.string().describe('The bytes of the file') } },
    },
    ...errorResponses,
  },
};

/**
 * A signal that aborts when the client goes, or when its API key ends, with what the client then gets as the reason. An
 * answer that has begun is cut off when the key ends.
 * @throws {WafleetError} UNAUTHORIZED for a key that was revoked meanwhile.
 */
function clientOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { keys, connections }: Pick<MediaRoutesOptions, 'keys' | 'connections'>,
): AbortSignal {
  const client = new AbortController();
  const identity = identityOf(request);
  if (keys.isRevoked(identity.keyId)) throw keyEnded('KEY_REVOKED', identity);
  const leave = connections.enter(identity, (reason) => {
    client.abort(keyEnded(reason, identity));
    if (reply.raw.headersSent) reply.raw.destroy();
  });
  const gone = () => {
    leave();
    if (!reply.raw.writableFinished) client.abort();
  };
  // It may have gone while its key was checked.
  if (reply.raw.closed) gone();
  else reply.raw.once('close', gone);
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

function sendHeaders(reply: FastifyReply, headers: Readonly<Record<string, string>>): void {
  reply.headers(headers).send();
}

/** Files of messages. */
export const mediaRoutes: FastifyPluginAsyncZod<MediaRoutesOptions> = async (
  app,
  { media, leases, ...access },
) => {
  app.get(
    PATH,
    {
      exposeHeadRoute: false,
      config: { scope: 'events:read', cost: 10 },
      schema: { summary: 'The file of a message', ...schema },
    },
    async (request, reply) => {
      const client = clientOf(request, reply, access);
      const { messageId } = request.params;
      const ref = { ...sessionRefOf(request), messageId };
      const known = request.headers['if-none-match'];
      if (known !== undefined) {
        const headers = mediaHeaders(await media.find(ref), messageId);
        if (headers.etag === known) {
          sendHeaders(reply.code(304), headers);
          return reply;
        }
      }
      const release = await leases.take(ref.tenantId, 'mediaDownloads');
      if (reply.raw.closed) release();
      else reply.raw.once('close', release);
      sendFile(reply, messageId, await media.open(ref, client));
      return reply;
    },
  );
  app.head(
    PATH,
    {
      config: { scope: 'events:read', cost: 2 },
      schema: { summary: 'What the file of a message is', hide: true, ...schema },
    },
    async (request, reply) => {
      const { messageId } = request.params;
      const file = await media.find({ ...sessionRefOf(request), messageId });
      sendHeaders(reply, mediaHeaders(file, messageId));
      return reply;
    },
  );
};
