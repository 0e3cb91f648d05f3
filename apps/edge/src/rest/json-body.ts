import type { FastifyInstance } from 'fastify';

/** Reads JSON bodies as Fastify does, but takes an empty body as none: many clients send the type regardless. */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text.length === 0) done(null, undefined);
    else parse(request, String(text), done);
  });
}
