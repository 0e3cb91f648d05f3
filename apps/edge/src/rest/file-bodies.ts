import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { type RestCall, WafleetError } from '@wafleet/contract';
import { allowSlowBody } from '@wafleet/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingFile } from '../sending/received-file.js';
import { BODY_LIMIT } from './http-server.js';
import { closedEarly, readMultipart } from './multipart-body.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How the route takes files beside JSON. */
    files?: RestCall['files'];
  }
}

const MULTIPART = 'multipart/form-data';
/** What stands for the file in the JSON. */
const FILE = { part: 'file' };
/** How long the rest of a request is read that was refused before its end, so that its client can read the answer. */
const LINGER_MS = 1_000;

const incoming = new WeakMap<FastifyRequest, IncomingFile>();

/** The file that came with a request and waits to be read, if any. */
export function incomingFileOf(request: FastifyRequest): IncomingFile | undefined {
  return incoming.get(request);
}

/**
 * Takes files in requests, for the routes that are added from here on and that declare it. What Fastify validates as the
 * body is the JSON of the request, in which `{ "part": "file" }` stands for the file. The file itself is not read.
 */
export function readFileBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  const parse = (request: FastifyRequest, text: string) =>
    new Promise<unknown>((resolve, reject) => {
      parseJson(request, text, (error, body) => (error === null ? resolve(body) : reject(error)));
    });

  app.addContentTypeParser(MULTIPART, async (request: FastifyRequest, payload: IncomingMessage) => {
    const { files } = request.routeOptions.config;
    if (files === undefined) throw onlyJson();
    const { part } = files;
    const { json, file } = await readMultipart(request.raw, payload, { part, maxJsonBytes: BODY_LIMIT });
    await keep(request, file);
    return withPart(await parse(request, json), files);
  });
  // Fastify's own makes a string of it, and a file may be a text.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const { files } = request.routeOptions.config;
    if (files?.isRaw !== true) throw onlyJson();
    const mimetype = request.headers['content-type'];
    await keep(request, { content: contentOf(request.raw, payload), complete: Promise.resolve(), mimetype });
    const { type } = request.query as { readonly type?: unknown };
    return { type, file: FILE };
  });
  app.addHook('onResponse', async (request) => {
    if (incoming.has(request)) dropRest(request.raw);
  });
}

/** The body as a stream of its own: who ends that one does not close the connection, on which the answer has to go. */
function contentOf(request: IncomingMessage, payload: Readable): Readable {
  const content = new PassThrough();
  content.on('error', () => {});
  payload.on('error', () => content.destroy(closedEarly()));
  payload.on('close', () => {
    if (!request.complete) content.destroy(closedEarly());
  });
  return payload.pipe(content);
}

async function keep(request: FastifyRequest, file: IncomingFile): Promise<void> {
  incoming.set(request, file);
  // The reader of the file watches its progress instead.
  allowSlowBody(request.raw);
}

/** The body of a request, in which the file that came with it has its place. */
function withPart(body: unknown, files: NonNullable<RestCall['files']>): unknown {
  const { of } = files;
  const place = of !== undefined && isObject(body) ? body[of] : body;
  if (!isObject(body) || !isObject(place)) throw unused(files);
  const { file = FILE } = place;
  if (!isObject(file) || file.part !== FILE.part) throw unused(files);
  return of === undefined ? { ...body, file } : { ...body, [of]: { ...place, file } };
}

function unused({ part, of }: NonNullable<RestCall['files']>): WafleetError {
  const where = of === undefined ? '`file`' : `\`${of}.file\``;
  const message = `The part \`${part}\` must have a content with a file, and leave ${where} out.`;
  return new WafleetError('VALIDATION_FAILED', message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function dropRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.unpipe();
  request.resume();
  const cutting = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(cutting));
  request.once('end', () => clearTimeout(cutting));
}

function onlyJson(): WafleetError {
  return new WafleetError('VALIDATION_FAILED', 'The request body must be application/json.');
}
