import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import type { ControlledSimulator } from './controlled-simulator.js';
import { ControlError, toControlError } from './errors.js';
import { faultRoutes } from './fault-routes.js';
import { groupRoutes } from './group-routes.js';
import { LoadControl } from './load.js';
import { found, Lookup } from './lookup.js';
import { passkeyRoutes } from './passkey-routes.js';
import { phoneRoutes } from './phone-routes.js';
import { type ControlRoute, route } from './routes.js';
import { bodies } from './schemas.js';

/** The verbs of people, and the faults of the server, over HTTP (`/control/…`): JSON in, JSON out. */
export function addControlApi(app: FastifyInstance, simulator: ControlledSimulator): void {
  const find = new Lookup(simulator);
  const load = new LoadControl(simulator);
  const routes = [
    ...[...phoneRoutes, ...passkeyRoutes, ...groupRoutes, ...faultRoutes],
    ...[...loadRoutes(load), arrivalsRoute],
  ];
  for (const each of routes) add(app, each, simulator, find);
  app.addHook('onClose', async () => {
    load.stop();
  });
  app.setErrorHandler((error, _request, reply) => sendError(reply, error));
}

const arrivalsRoute = route('GET', '/arrivals/:since', bodies.nothing, ({ simulator, param }) =>
  simulator.arrivals.since(Number(param('since'))),
);

function loadRoutes(load: LoadControl): readonly ControlRoute[] {
  return [
    route('POST', '/load', bodies.load, ({ body }) => load.start(body)),
    route('GET', '/load', bodies.nothing, () => found(load.answer, 'load')),
    route('DELETE', '/load', bodies.nothing, () => found(load.stop(), 'load')),
  ];
}

function add(
  app: FastifyInstance,
  { method, path, handle }: ControlRoute,
  simulator: ControlledSimulator,
  find: Lookup,
): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const params = request.params as Readonly<Record<string, string | undefined>>;
    const answer = await handle({
      simulator,
      find,
      param: (name) => found(params[name], `parameter ${name}`),
      body: request.body ?? undefined,
    });
    return answer === undefined ? reply.code(204).send() : reply.send(answer);
  };
  app.route({ method, url: path, handler });
}

function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  const { status, code, message, details } = readError(error);
  return reply.code(status).send({ error: { code, message, ...(details === undefined ? {} : { details }) } });
}

function invalidBody({ issues }: ZodError): ControlError {
  const [first] = issues;
  const where = ['body', ...(first?.path ?? [])].join('.');
  return new ControlError('INVALID', `The body is not valid. ${where}: ${first?.message}.`, issues);
}

function readError(error: unknown): ControlError {
  if (error instanceof ZodError) return invalidBody(error);
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) return new ControlError('INVALID', String(error));
  return toControlError(error);
}
