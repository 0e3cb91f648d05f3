import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import { paced } from '../../harness/paced.js';
import { describeAnswer, type RestCall, RestCaller } from '../../harness/rest-caller.js';
import { operation, serveOperations } from '../../harness/serve-operations.js';
import { percentile } from '../../harness/statistics.js';
import { EventsSocket } from '../events-socket.js';
import {
  connectRequest,
  type Latencies,
  measureRequest,
  readTimedText,
  type receivedReply,
  receivedRequest,
  sharedNow,
} from '../protocol.js';

/** The neighbour of the attacker: one client of its events at each edge, and its REST calls. */

const EDGES = ['attacked', 'other'] as const;
type Edge = (typeof EDGES)[number];

const CONNECTIONS = 50;
/** How long to wait for a late event. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;

interface Client {
  readonly caller: RestCaller;
  /** By label: the time of arrival of each text, by its number. */
  readonly arrivals: Map<string, Map<number, number>>;
  duplicates: number;
}

const clients = new Map<Edge, Client>();
let of: z.infer<typeof connectRequest> | undefined;
let closed: string | undefined;
let made = 0;

async function connect(request: z.infer<typeof connectRequest>): Promise<void> {
  of = request;
  for (const edge of EDGES) {
    const { apiKey, ports } = request;
    const client: Client = {
      caller: new RestCaller({ port: ports[edge], apiKey, connections: CONNECTIONS }),
      arrivals: new Map(),
      duplicates: 0,
    };
    clients.set(edge, client);
    const onEvent = (packet: string) => note(client, packet);
    const socket = await EventsSocket.connect({ port: ports[edge], apiKey, onEvent });
    void socket.closed.then((reason) => {
      closed ??= `events of the ${edge} edge: closed as ${reason}`;
    });
    const ack = await socket.subscribe(['messages.upsert']);
    if (!ack.includes('"ok":true')) throw new Error(`the subscription was refused: ${ack}`);
  }
}

function note(client: Client, packet: string): void {
  const timed = readTimedText(packet);
  if (timed === undefined) return;
  const { label, index } = timed;
  const arrivals = client.arrivals.get(label) ?? new Map<number, number>();
  client.arrivals.set(label, arrivals);
  if (arrivals.has(index)) client.duplicates += 1;
  else arrivals.set(index, sharedNow());
}

function clientOf(edge: Edge): Client {
  const client = clients.get(edge);
  if (client === undefined) throw new Error('the neighbour is not connected');
  return client;
}

/** Makes calls at fixed times, without waiting for earlier answers. Resolves when all are answered. */
async function measure({ forMs, reads, sends, links }: z.infer<typeof measureRequest>) {
  if (of === undefined) throw new Error('the neighbour is not connected');
  const { sessionId, recipient } = of;
  const failed: string[] = [];
  const callsOf = async (edge: Edge, perSecond: number, call: (index: number) => RestCall) => {
    const times: number[] = [];
    const count = Array.from({ length: Math.round((perSecond * forMs) / 1_000) });
    await paced(count, perSecond, async (_, index) => {
      const begun = performance.now();
      const answer = await attempt(edge, call(index));
      times.push(performance.now() - begun);
      if (!/^2\d\d$/.test(answer)) failed.push(answer);
    });
    return latenciesOf(times);
  };
  const read = (): RestCall => ({ method: 'GET', path: `/api/sessions/${sessionId}` });
  const send = (index: number): RestCall => ({
    method: 'POST',
    path: `/api/sessions/${sessionId}/messages`,
    body: { to: recipient, text: `sent ${index}` },
  });
  const [attacked, other, sent] = await Promise.all([
    callsOf('attacked', reads.attacked, read),
    callsOf('other', reads.other, read),
    callsOf('attacked', sends, send),
    links ? linkOne(forMs, failed) : undefined,
  ]);
  if (closed !== undefined) failed.push(closed);
  closed = undefined;
  return { reads: { attacked, other }, sends: sent, failed };
}

/** A summary of the answer, or the reason why there is none. */
async function attempt(edge: Edge, call: RestCall): Promise<string> {
  try {
    return describeAnswer(await clientOf(edge).caller.call(call));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Creates a session in the middle of the window, waits for its QR code, and removes it. */
async function linkOne(forMs: number, failed: string[]): Promise<void> {
  await delay(forMs / 2);
  made += 1;
  const path = `/api/sessions/made-${made}`;
  const answer = await attempt('attacked', {
    method: 'POST',
    path: '/api/sessions',
    body: { id: `made-${made}` },
  });
  if (!answer.startsWith('2')) failed.push(`POST /api/sessions: ${answer}`);
  const begun = performance.now();
  let qr = '';
  while (qr !== '200' && performance.now() - begun < PATIENCE_MS) {
    qr = await attempt('attacked', { method: 'GET', path: `${path}/qr` });
    if (qr !== '200') await delay(POLL_MS * 10);
  }
  if (qr !== '200') failed.push(`QR code of a new session: ${qr}`);
  const removed = await attempt('attacked', { method: 'DELETE', path });
  if (!removed.startsWith('2')) failed.push(`DELETE ${path}: ${removed}`);
}

/** Resolves when both clients have all texts of a label, or after a timeout. */
async function received({ label, writtenAt }: z.infer<typeof receivedRequest>) {
  const arrivalsAt = (edge: Edge) => clientOf(edge).arrivals.get(label) ?? new Map<number, number>();
  const { length: count } = writtenAt;
  const deadline = performance.now() + PATIENCE_MS;
  while (EDGES.some((edge) => arrivalsAt(edge).size < count) && performance.now() < deadline) {
    await delay(POLL_MS);
  }
  const reply = (edge: Edge) => {
    const times = [...arrivalsAt(edge)].map(([index, at]) => Math.max(0, at - (writtenAt[index] ?? at)));
    const { duplicates } = clientOf(edge);
    return { ...latenciesOf(times), missing: count - times.length, duplicates };
  };
  const both: z.infer<typeof receivedReply> = { attacked: reply('attacked'), other: reply('other') };
  for (const { arrivals } of clients.values()) arrivals.delete(label);
  return both;
}

function latenciesOf(times: readonly number[]): Latencies {
  const { length: count } = times;
  if (count === 0) return { p50: 0, p99: 0, count };
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99), count };
}

serveOperations({
  connect: operation(connectRequest, connect),
  measure: operation(measureRequest, measure),
  received: operation(receivedRequest, received),
});
