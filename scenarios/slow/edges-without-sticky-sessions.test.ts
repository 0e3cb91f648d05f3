import { type EventPayload, payloadSchemas } from '@wafleet/contract';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  findNginx,
  metricOf,
  type RoundRobin,
  startCluster,
  startRoundRobin,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ClientProgram, endPrograms, pythonWithSocketIo } from '../support/client-programs.js';
import { type LinkedSession, linkSessions } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { Traffic } from '../support/traffic.js';

/**
 * Three edges run behind an nginx that sends each request to the next edge. Clients of every transport receive all
 * events in order, and continue when an edge is killed.
 */
const nginx = await findNginx();
const python = pythonWithSocketIo();
if (nginx === undefined) report('edges-without-sticky-sessions', { skipped: 'there is no nginx' });

let cluster: Cluster;
let tenant: TestTenant;
let sessions: readonly LinkedSession[];
let proxy: RoundRobin;
const clients: Client[] = [];

beforeAll(async () => {
  if (nginx === undefined) return;
  cluster = await startCluster({ edges: 3, environment: { PEER_HOST: '127.0.0.1' } });
  tenant = await cluster.addTenant('acme');
  sessions = await linkSessions(cluster, tenant, 2);
  proxy = await startRoundRobin(
    nginx,
    cluster.edges.map(({ port }) => port),
  );
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  endPrograms();
  await proxy?.stop();
  await cluster?.stop();
});

/** A client of any language, and the messages that reached it. */
interface Client {
  /** `<session> <number>`, in the order of arrival. */
  received(): string[];
  /** How often it connected. */
  connects(): number;
  close(): void;
}

const TEXT = /^number (\d+)$/;

function numbered({ sessionId, messages }: EventPayload<'messages.upsert'>): string[] {
  return messages.flatMap(({ message }) => {
    const [, number] = TEXT.exec(String(message?.conversation)) ?? [];
    return number === undefined ? [] : [`${sessionId} ${number}`];
  });
}

function javaScript(events: EventCollector): Client {
  let connects = 1;
  events.socket.on('connect', () => {
    connects += 1;
  });
  return {
    received: () => events.payloads('messages.upsert').flatMap(numbered),
    connects: () => connects,
    close: () => events.close(),
  };
}

/**
 * A program that subscribes on each connect, from its last event on. python-socketio runs each listener in its own
 * thread, so the order of receipt is read from its packet log.
 */
function pythonProgram(url: string, apiKey: string, transports: readonly string[]): string {
  return `
import socketio

sio = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1, engineio_logger=True)
last = None

@sio.event
def connect():
    request = {'events': ['messages.upsert']}
    if last is not None:
        request['since'] = last
    sio.emit('subscribe', request, callback=lambda ack: print('subscribed', ack['ok'], flush=True))

@sio.on('messages.upsert')
def on_messages(event):
    global last
    last = event['eventId']

sio.connect('${url}', auth={'token': '${apiKey}'}, transports=${JSON.stringify(transports)})
sio.wait()
`;
}

const PACKET = /Received packet MESSAGE data 2\["messages\.upsert",(\{.*\})\]$/gm;

async function pythonClient(transports: readonly string[]): Promise<Client> {
  const program = new ClientProgram('python', pythonProgram(proxy.url, tenant.apiKey, transports), python);
  await program.prints(['subscribed True']);
  return {
    received: () =>
      [...program.output.matchAll(PACKET)].flatMap(([, json = '']) =>
        numbered(payloadSchemas['messages.upsert'].parse(JSON.parse(json))),
      ),
    connects: () => program.output.match(/^subscribed True$/gm)?.length ?? 0,
    close: () => program.kill(),
  };
}

async function javaScriptClient(transports?: string[]): Promise<Client> {
  const options = { reconnectionDelay: 200, reconnectionDelayMax: 1_000, ...(transports && { transports }) };
  return javaScript(await collectEvents(proxy.url, tenant.apiKey, ['messages.upsert'], options));
}

/** The numbers of a session that reached a client, each once. */
function numbersOf(client: Client, sessionId: string): number[] {
  const lines = [...new Set(client.received())].map((line) => line.split(' '));
  return lines.flatMap(([id, number]) => (id === sessionId ? [Number(number)] : []));
}

function lastOf(client: Client, sessionId: string): number | undefined {
  return numbersOf(client, sessionId).at(-1);
}

/** Resolves once a client has received 30 more messages than it has now. */
async function goesOn(kind: string, client: Client): Promise<void> {
  const goal = new Set(client.received()).size + 30;
  await waitFor(() => new Set(client.received()).size >= goal, {
    what: `30 more messages at the ${kind} client`,
    timeoutMs: 60_000,
    intervalMs: 200,
  });
}

async function forwarded(outcome: string): Promise<number> {
  const name = `wafleet_edge_requests_forwarded_total{outcome="${outcome}"}`;
  const counts = cluster.edges.map((edge) => metricOf(edge, name));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

type Kinds = Readonly<Record<string, () => Promise<Client>>>;

const javaScriptKinds: Kinds = {
  websocket: () => javaScriptClient(['websocket']),
  upgrade: () => javaScriptClient(),
  polling: () => javaScriptClient(['polling']),
};

/** The upgrading client makes one request after its handshake. By chance nginx may send it to the same edge. */
const pythonKinds: Kinds = {
  upgrade: () => pythonClient(['polling', 'websocket']),
  polling: () => pythonClient(['polling']),
};

/** Clients of these kinds receive what people write, while one edge after the other is killed and comes back. */
async function receiveAll(language: string, kinds: Kinds): Promise<void> {
  const named = await Promise.all(
    Object.entries(kinds).map(async ([kind, open]) => ({
      kind: `${language} ${kind}`,
      client: await open(),
    })),
  );
  clients.push(...named.map(({ client }) => client));
  const traffic = await Traffic.start({ cluster, tenant, sessions, everyMs: 100 });
  try {
    await traffic.flows(20);
    const handedOn = await forwarded('answered');
    expect(handedOn).toBeGreaterThan(0);
    for (const { kind, client } of named) expect(client.connects(), `${kind} was not cut off`).toBe(1);
    // Kills each edge once, so that every client loses the edge that it is connected to.
    for (const { process, port } of [...cluster.edges]) {
      await process.kill();
      await Promise.all(named.map(({ kind, client }) => goesOn(kind, client)));
      await cluster.addEdge({}, port);
      await traffic.flows(5);
    }
    await traffic.finish();
    const sent = new Map(sessions.map(({ id }) => [id, lastOf(javaScript(traffic.events), id)]));
    for (const { kind, client } of named) {
      await waitFor(() => sessions.every(({ id }) => lastOf(client, id) === sent.get(id)), {
        what: `the ${kind} client with the last message of each session`,
        timeoutMs: 60_000,
      });
      for (const { id } of sessions) {
        const numbers = numbersOf(client, id);
        expect(numbers, kind).toEqual(numbers.map((_, index) => index + 1));
      }
      expect(client.connects(), `${kind} was cut off`).toBeGreaterThan(1);
      const received = client.received();
      report('edges-without-sticky-sessions', {
        client: kind,
        received: received.length,
        repeated: received.length - new Set(received).size,
        connects: client.connects(),
        handedOn,
      });
    }
  } finally {
    await traffic.close();
  }
}

// A bare machine may lack nginx or python-socketio; the tests then count as skipped.
test.skipIf(nginx === undefined)('JavaScript clients of every transport miss nothing', () =>
  receiveAll('JavaScript', javaScriptKinds),
);

test.skipIf(nginx === undefined || python === undefined)(
  'Python clients of both transports miss nothing',
  () => receiveAll('Python', pythonKinds),
);
