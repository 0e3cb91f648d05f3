import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ClientVersions, VersionPage } from './client-versions.js';

/** `GET /sw.js`: the service worker of WhatsApp Web, which names the newest revision of the client. */
export function addVersionPage(
  app: FastifyInstance,
  { clientVersions }: { readonly clientVersions: ClientVersions },
): void {
  app.get('/sw.js', (_request, reply) => answer(reply, clientVersions.page));
}

function answer(reply: FastifyReply, page: VersionPage): FastifyReply {
  if (page === 'silence') return reply.hijack();
  if ('status' in page) return reply.code(page.status).type('text/html').send('<html>Try later.</html>');
  if ('text' in page) return reply.type('application/javascript').send(page.text);
  const settings = { SiteData: { server_revision: page.revision, client_revision: page.revision } };
  const text = JSON.stringify(JSON.stringify(settings));
  return reply.type('application/javascript').send(`importScripts("/");self.settings=${text};`);
}
