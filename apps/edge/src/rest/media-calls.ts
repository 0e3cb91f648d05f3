import type { mediaCalls } from '@wafleet/contract';
import type { TenantLeases } from '@wafleet/store';
import type { FastifyReply } from 'fastify';
import { sessionRefOf } from '../auth/session-ref.js';
import type { MediaDownload, MediaDownloads } from '../media/media-downloads.js';
import { mediaHeaders } from '../media/media-headers.js';
import { onAnswerEnd } from './answer-end.js';
import type { HandlersOf } from './calls.js';
import { type ClientSignalResources, clientSignal } from './client-signal.js';

interface MediaCallResources extends ClientSignalResources {
  /** Bounds the downloads of a tenant on all edges together. */
  readonly leases: Pick<TenantLeases, 'take'>;
  readonly media: MediaDownloads;
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
      const client = clientSignal(request, reply, access);
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
