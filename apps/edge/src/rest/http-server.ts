import { REQUEST_ID_HEADER, type WafleetError } from '@wafleet/contract';
import { GUARDED_SERVER, type Logger } from '@wafleet/runtime';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { handleErrors, sendError } from '../errors/error-answers.js';
import { requestIdOf } from '../http/request-id.js';
import { answerMalformedRequests } from './client-errors.js';
import { readJsonBodies } from './json-body.js';

/** More than the longest text message as JSON, where a character may take six bytes. */
export const BODY_LIMIT = 512 * 1024;

/**
 * Creates a Fastify without routes, with the edge's limits and error handling. It logs one line per request: method,
 * route pattern and status. It logs no header, query string or body, since those may hold keys.
 */
export function createHttpServer(
  logger: Logger,
  onRefused: (error: WafleetError) => void = () => {},
): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = logger;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: BODY_LIMIT,
    http: GUARDED_SERVER,
    genReqId: (raw) => requestIdOf(raw),
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply);
    },
    clientErrorHandler: answerMalformedRequests,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  handleErrors(app, onRefused);
  readJsonBodies(app);
  app.addHook('onRequest', async ({ id }, reply) => {
    reply.header(REQUEST_ID_HEADER, id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { method } = request;
    request.log.debug({ method, route, status: reply.statusCode, ms: reply.elapsedTime }, 'answered');
  });
  return app;
}
