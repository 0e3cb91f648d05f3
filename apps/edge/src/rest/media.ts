import { messageIdSchema } from '@wafleet/contract';
import type { TenantLeases } from '@wafleet/store';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { MediaDownload, MediaDownloads } from '../media/media-downloads.js';
import { mediaHeaders } from '../media/media-headers.js';
import { errorResponses } from './api-docs.js';
import { sessionParamsSchema, sessionRefOf } from './session-params.js';

interface MediaRoutesOptions {
  /** Bounds the downloads of a tenant on all edges together. */
  readonly leases: Pick<TenantLeases, 'take'>;
  readonly media: MediaDownloads;
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

function abortOnClose(reply: FastifyReply): AbortSignal {
  const client = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) client.abort();
  });
  return client.signal;
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
export const mediaRoutes: FastifyPluginAsyncZod<MediaRoutesOptions> = async (app, { media, leases }) => {
  app.get(
    PATH,
    {
      exposeHeadRoute: false,
      config: { scope: 'events:read', cost: 10 },
      schema: { summary: 'The file of a message', ...schema },
    },
    async (request, reply) => {
      const client = abortOnClose(reply);
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
