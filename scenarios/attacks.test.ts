import { randomBytes } from 'node:crypto';
import { ERRORS, errorBodySchema, errorDescriptionSchema } from '@wafleet/contract';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { metricOf } from './support/edge-metrics.js';
import { Publisher } from './support/publisher.js';
import { RawConnection } from './support/raw-connection.js';
import { report } from './support/report.js';
import { SequenceClient } from './support/sequence-client.js';

/**
 * What somebody tries who wants another tenant's events, or the edge down, with and without an API key. Meanwhile a
 * client of the other tenant listens. Each attack must get an answer of the contract, or a closed connection; the
 * client must miss nothing, and the edge must live, and be no larger afterwards.
 */

/** What an edge may have grown by, bytes. Garbage of 200 MB is not collected before there is a need. */
const MAY_GROW = 200 * 1024 * 1024;

let cluster: Cluster;
let victim: TestTenant;
let attacker: TestTenant;
let publisher: Publisher;
let listener: SequenceClient;
let sizeBefore: number;
/** What must stand in no log. */
const secrets: string[] = [];
const opened: RawConnection[] = [];
/** Raw connections come from addresses of their own, so that each attack has all its tokens. */
let lastAddress = 0;

beforeAll(async () => {
  cluster = await startCluster({
    workers: 0,
    placers: 0,
    edges: 1,
    environment: { LOG_LEVEL: 'debug', TRUSTED_PROXIES: 'loopback', EVENT_LOG_LENGTH: '100000' },
  });
  victim = await cluster.addTenant('victim');
  attacker = await cluster.addTenant('attacker');
  secrets.push(victim.apiKey, attacker.apiKey, cluster.adminToken);
  publisher = await Publisher.start({ cluster, tenant: victim, sessions: 2, perSecond: 20 });
  listener = await SequenceClient.start({ url: edgeUrl(), apiKey: victim.apiKey });
  await attacker.client.createSession({ id: 'own' });
  sizeBefore = await size();
});

afterEach(() => {
  for (const connection of opened.splice(0)) connection.close();
});

afterAll(async () => {
  listener?.close();
  await publisher?.stop();
  await cluster?.stop();
});

function edgeUrl(): string {
  const [edge] = cluster.edges;
  if (edge === undefined) throw new Error('the edge is gone');
  return edge.url;
}

function size(): Promise<number> {
  const [edge] = cluster.edges;
  if (edge === undefined) throw new Error('the edge is gone');
  return metricOf(edge, 'process_resident_memory_bytes');
}

function someAddress(): string {
  lastAddress += 1;
  return `198.51.${lastAddress >> 8}.${lastAddress & 255}`;
}

async function open(address = someAddress()): Promise<RawConnection> {
  const connection = await RawConnection.open(edgeUrl(), { 'X-Forwarded-For': address });
  opened.push(connection);
  return connection;
}

async function join(auth: object): Promise<RawConnection> {
  const connection = await open();
  expect(await connection.join(auth)).toMatch(/^40/);
  return connection;
}

/** The code of an error that is the contract's, wherever in the text it stands. */
function codeIn(text: string, pattern: RegExp): string {
  const [, json = '{}'] = pattern.exec(text) ?? [];
  return errorDescriptionSchema.parse(JSON.parse(json)).code;
}

/** Nothing of the victim's may ever be in what an attacker is sent. */
function expectNothingOf({ messages }: RawConnection): void {
  expect(messages.filter((message) => /^42[^[]*\["messages\.|"M\d+"/.test(message))).toEqual([]);
}

/** That the edge serves whoever keeps to the contract. */
async function expectAlive(): Promise<void> {
  const honest = await join({ token: attacker.apiKey });
  honest.send('42/api/events,7["subscribe",["call"]]');
  expect(await honest.answer(/^43\/api\/events,7/)).toContain('"ok":true');
}

describe('subscriptions', () => {
  const many = (count: number, item: string) => Array.from({ length: count }, () => item);

  test.each([
    ['another tenant’s session', '{"events":["*"],"sessions":["p1"]}', 'SESSION_NOT_FOUND'],
    ['one beside one’s own', '{"events":["*"],"sessions":["own","p1"]}', 'SESSION_NOT_FOUND'],
    [
      'guessed ids',
      JSON.stringify({ events: ['*'], sessions: ['p0', 'p1', 'p2', 'p3'] }),
      'SESSION_NOT_FOUND',
    ],
    ['another case', '{"events":["*"],"sessions":["P1"]}', 'SESSION_NOT_FOUND'],
    ['all, by name', '{"events":["*"],"sessions":["*"]}', 'VALIDATION_FAILED'],
    ['a room', '{"events":["*"],"sessions":["p1:messages.upsert"]}', 'VALIDATION_FAILED'],
    ['a key of Redis', '{"events":["*"],"sessions":["{x}:log"]}', 'VALIDATION_FAILED'],
    ['a way up', '{"events":["*"],"sessions":["../p1"]}', 'VALIDATION_FAILED'],
    ['a zero byte', '{"events":["*"],"sessions":["p1\\u0000"]}', 'VALIDATION_FAILED'],
    ['letters that look alike', '{"events":["*"],"sessions":["р1"]}', 'VALIDATION_FAILED'],
    ['__proto__ as a session', '{"events":["*"],"sessions":["__proto__"]}', 'SESSION_NOT_FOUND'],
    ['__proto__ as a field', '{"__proto__":{"sessions":["p1"]},"events":["*"]}', 'VALIDATION_FAILED'],
    ['a field too many', '{"events":["*"],"tenantId":"victim"}', 'VALIDATION_FAILED'],
    ['no session as an object', '{"events":["*"],"sessions":{"length":1,"0":"p1"}}', 'VALIDATION_FAILED'],
    ['__proto__', '["__proto__"]', 'UNKNOWN_EVENT'],
    ['constructor', '["constructor"]', 'UNKNOWN_EVENT'],
    ['a wildcard of it', '["__proto__.*"]', 'UNKNOWN_EVENT'],
    ['two wildcards', '["*.*"]', 'UNKNOWN_EVENT'],
    ['a wildcard within', '["mess*"]', 'UNKNOWN_EVENT'],
    ['a regular expression', '["(a+)+$"]', 'UNKNOWN_EVENT'],
    ['a wildcard and a zero byte', '["messages.*\\u0000"]', 'UNKNOWN_EVENT'],
    ['half a surrogate', '["\\ud800"]', 'UNKNOWN_EVENT'],
    ['the other way round', '["\\u202e*"]', 'UNKNOWN_EVENT'],
    ['nothing', '[]', 'UNKNOWN_EVENT'],
    ['an event of Socket.IO', '["disconnect"]', 'UNKNOWN_EVENT'],
    ['a name of 90 kB', JSON.stringify(['x'.repeat(90_000)]), 'UNKNOWN_EVENT'],
    ['20,000 names', JSON.stringify(many(20_000, 'a')), 'TOO_MANY_ITEMS'],
    ['10,000 sessions', JSON.stringify({ events: ['*'], sessions: many(10_000, 'p1') }), 'TOO_MANY_ITEMS'],
    ['no list', '"*"', 'VALIDATION_FAILED'],
    ['a number', '1e308', 'VALIDATION_FAILED'],
    ['null', 'null', 'VALIDATION_FAILED'],
    ['40,000 lists in each other', `${'['.repeat(40_000)}${']'.repeat(40_000)}`, 'VALIDATION_FAILED'],
    ['two arguments', '["*"],["*"]', 'VALIDATION_FAILED'],
    ['a position of no form', '{"events":["*"],"since":"yesterday"}', 'VALIDATION_FAILED'],
    ['a position of Redis', '{"events":["*"],"since":"-"}', 'VALIDATION_FAILED'],
    ['a position that is no text', '{"events":["*"],"since":{"$gt":""}}', 'VALIDATION_FAILED'],
  ])('to %s are refused with a code', async (_what, argument, code) => {
    const connection = await join({ token: attacker.apiKey });
    for (const event of ['subscribe', 'unsubscribe']) {
      const id = event === 'subscribe' ? 1 : 2;
      connection.send(`42/api/events,${id}["${event}",${argument}]`);
      const answer = await connection.answer(new RegExp(`^43/api/events,${id}\\[`));
      // Ending what was never there is allowed, whosever it is.
      if (event === 'unsubscribe' && answer.includes('"ok":true')) continue;
      const seen = codeIn(answer, /"error":(\{.*\})\}\]$/);
      if (event === 'subscribe') expect(seen).toBe(code);
      expect(answer.length).toBeLessThan(50_000);
    }
    expectNothingOf(connection);
  });

  test.each([
    ['1 MB', JSON.stringify(['x'.repeat(1_000_000)])],
    ['100,000 names', JSON.stringify(many(100_000, 'a'))],
  ])('of %s end the connection', async (_what, argument) => {
    const connection = await join({ token: attacker.apiKey });
    connection.send(`42/api/events,1["subscribe",${argument}]`);
    await waitFor(() => connection.isEnded, { what: 'the end' });
    expect(connection.closeCode).toBe(1009);
    await expectAlive();
  });

  test('since a position of another tenant bring nothing of that tenant', async () => {
    await waitFor(() => publisher.published.length > 5, { what: 'events of the victim' });
    const since = publisher.published.map(({ eventId }) => eventId);
    const far = ['0-0', '1-1', '999999999999999-9', 'zzzz-1', '1-9007199254740991', `${since[0]}~1`];
    for (const position of [since[0], since.at(-1), ...far]) {
      const connection = await join({ token: attacker.apiKey });
      connection.send(`42/api/events,1["subscribe",{"events":["*"],"since":"${position}"}]`);
      expect(await connection.answer(/^43\/api\/events,1\[/)).toContain('"ok":true');
      const before = publisher.published.length;
      await waitFor(() => publisher.published.length > before + 2, { what: 'more events of the victim' });
      expectNothingOf(connection);
    }
  });

  test('that flood end the connection', async () => {
    const connection = await join({ token: attacker.apiKey });
    for (let id = 0; id < 2_000; id += 1) connection.send(`42/api/events,${id}["subscribe",["*"]]`);
    await waitFor(() => connection.isEnded, { what: 'the end' });
    expect(connection.closeCode).toBe(4009);
    expect(connection.messages.at(-1)).toContain('TOO_MANY_FRAMES');
  });

  test('whose answers nobody reads do not pile up', async () => {
    const connection = await join({ token: attacker.apiKey });
    connection.pause();
    const before = await metricOf(
      cluster.edges[0] ?? expect.fail(),
      'wafleet_edge_limits_exceeded_total{limit="frames_per_socket"}',
    );
    const name = 'x'.repeat(900);
    for (let id = 0; id < 2_000; id += 1) connection.send(`42/api/events,${id}["subscribe",["${name}"]]`);
    await waitFor(
      async () =>
        (await metricOf(
          cluster.edges[0] ?? expect.fail(),
          'wafleet_edge_limits_exceeded_total{limit="frames_per_socket"}',
        )) > before,
      { what: 'the connection is closed' },
    );
  });
});

describe('keys', () => {
  const refusal = (answer: string) => codeIn(answer, /"data":(\{.*\})\}$/);

  test.each([
    undefined,
    null,
    {},
    { token: null },
    { token: 7 },
    { token: [] },
    { token: { $ne: '' } },
    { token: '' },
    { token: '*' },
    { token: 'x'.repeat(80_000) },
    { token: '\u0000' },
    { token: '\ud800' },
    { token: '__proto__' },
    { token: 'wf_{x}' },
    { Token: 'unknown' },
  ])('that are none are refused: %j', async (auth) => {
    const connection = await open();
    const answer = await connection.join(auth);
    // For Socket.IO it is no packet without an object, and ends the connection.
    if (answer !== '' || (typeof auth === 'object' && auth !== null))
      expect(refusal(answer)).toBe('UNAUTHORIZED');
    connection.send('42/api/events,1["subscribe",["*"]]');
    await waitFor(() => connection.isEnded, { what: 'who speaks without a key is cut off' });
    expectNothingOf(connection);
  });

  test('in the prototype of what is sent do not count', async () => {
    const connection = await open();
    connection.send(`40/api/events,{"__proto__":{"token":"${attacker.apiKey}"}}`);
    expect(refusal(await connection.answer(/^4[04]/))).toBe('UNAUTHORIZED');
  });

  test('of which a part is right are refused', async () => {
    const { apiKey } = attacker;
    const wrong = [apiKey.slice(0, -1), `${apiKey} `, apiKey.toUpperCase(), ` ${apiKey}`, `${apiKey}\u0000`];
    for (const token of wrong) expect(refusal(await (await open()).join({ token }))).toBe('UNAUTHORIZED');
  });

  test('that are revoked or expired are refused', async () => {
    const revoked = await cluster.admin.createKey(attacker.id);
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const expiring = await cluster.admin.createKey(attacker.id, { expiresAt });
    secrets.push(revoked.key, expiring.key);
    const sockets = [await join({ token: revoked.key }), await join({ token: expiring.key })];
    await cluster.admin.revokeKey(revoked.id);
    await waitFor(() => sockets.every(({ isEnded }) => isEnded), { what: 'their sockets are closed' });
    expect(sockets.map(({ closeCode }) => closeCode)).toEqual([4501, 4502]);
    expect(refusal(await (await open()).join({ token: revoked.key }))).toBe('UNAUTHORIZED');
    expect(refusal(await (await open()).join({ token: expiring.key }))).toBe('KEY_EXPIRED');
  });

  test('that lack a scope do not get it by asking', async () => {
    const reader = await cluster.admin.createKey(attacker.id, { scopes: ['events:read'], sessions: ['own'] });
    const other = await cluster.admin.createKey(attacker.id, { scopes: ['sessions:read'] });
    secrets.push(reader.key, other.key);
    const more = {
      scopes: ['*'],
      tenantId: victim.id,
      identity: { tenantId: victim.id },
      sessions: undefined,
    };
    expect(refusal(await (await open()).join({ ...more, token: other.key }))).toBe('FORBIDDEN');

    const connection = await join({ ...more, token: reader.key });
    const requests = [
      ['["auth.qr"]', 'FORBIDDEN'],
      ['["auth.pairing-code","call"]', 'FORBIDDEN'],
      ['{"events":["call"],"sessions":["another"]}', 'SESSION_NOT_FOUND'],
      ['{"events":["call"],"sessions":["p1"]}', 'SESSION_NOT_FOUND'],
    ] as const;
    for (const [index, [argument, code]] of requests.entries()) {
      connection.send(`42/api/events,${index}["subscribe",${argument}]`);
      const answer = await connection.answer(new RegExp(`^43/api/events,${index}\\[`));
      expect(codeIn(answer, /"error":(\{.*\})\}\]$/)).toBe(code);
    }
    connection.send('42/api/events,9["subscribe",["*"]]');
    expect(await connection.answer(/^43\/api\/events,9\[/)).not.toMatch(/auth\./);
  });

  test('that are guessed again and again make the address wait', async () => {
    const address = someAddress();
    const guess = async () => (await open(address)).join({ token: randomBytes(20).toString('hex') });
    const answers: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      answers.push(...(await Promise.all(Array.from({ length: 50 }, guess))));
    }
    // What is over the limit is refused as HTTP, before there is a connection that could be told.
    const told = answers.filter((answer) => answer !== '').map(refusal);
    expect(told.length).toBeLessThan(answers.length);
    expect(told.filter((code) => code !== 'UNAUTHORIZED' && code !== 'TOO_MANY_HANDSHAKES')).toEqual([]);
    await expectAlive();
  });
});

describe('another client’s secret', () => {
  test('brings nothing with another key, whether of another tenant or the same', async () => {
    const owner = await open();
    const { pid } = JSON.parse((await owner.join({ token: victim.apiKey })).replace(/^40\/api\/events,/, ''));
    expect(pid).toMatch(/^[\w-]{32}$/);
    secrets.push(pid);
    owner.send('42/api/events,1["subscribe",["messages.*"]]');
    await owner.answer(/^43\/api\/events,1\[/);
    const second = await cluster.admin.createKey(victim.id);
    secrets.push(second.key);

    for (const token of [attacker.apiKey, second.key]) {
      const connection = await open();
      const answer = await connection.join({ token, pid });
      expect(answer).toMatch(/^40/);
      expect(answer).not.toContain(pid);
      expect(await connection.answer(/SUBSCRIPTION_LOST/)).not.toBe('');
      const before = publisher.published.length;
      await waitFor(() => publisher.published.length > before + 2, { what: 'more events of the victim' });
      expectNothingOf(connection);
    }
    // Its owner still has it.
    owner.close();
    const again = await open();
    expect(await again.join({ token: victim.apiKey, pid })).toContain(pid);
    expect(await again.answer(/messages\.upsert/)).not.toBe('');
  });

  test.each(['', '*', '?'.repeat(32), 'x'.repeat(32), `${'x'.repeat(31)}\u0000`, { length: 32 }, 7])(
    'that is guessed brings nothing: %j',
    async (pid) => {
      const connection = await join({ token: attacker.apiKey, pid });
      expectNothingOf(connection);
    },
  );
});

describe('packets', () => {
  const nsp = '/api/events,';

  test.each([
    '4',
    '42',
    `42${nsp}`,
    `42${nsp}[`,
    `42${nsp}["subscribe"`,
    `42${nsp}{}`,
    `42${nsp}"x"`,
    `42${nsp}[1]`,
    `42${nsp}[null]`,
    `42${nsp}["__proto__"]`,
    `42${nsp}["disconnect"]`,
    `42${nsp}["connect_error"]`,
    `42${nsp}["subscription.error",{}]`,
    `42${nsp}["messages.upsert",{}]`,
    `42${nsp}99999999999999999999["subscribe",["*"]]`,
    `42${nsp}-1["subscribe",["*"]]`,
    `43${nsp}["x"]`,
    `43${nsp}0["x"]`,
    `43${nsp}99999999[]`,
    `43${nsp}__proto__[]`,
    `451-${nsp}["subscribe",{"_placeholder":true,"num":0}]`,
    `451-${nsp}["subscribe",{"_placeholder":true,"num":-1}]`,
    `451-${nsp}["subscribe",{"_placeholder":true,"num":"__proto__"}]`,
    `459999999999-${nsp}["x"]`,
    `45-${nsp}["x"]`,
    `451000000-${nsp}["x"]`,
    `461-${nsp}0["x"]`,
    `450-${nsp}["x"]`,
    'bAAAA',
    'b',
    `40${nsp}{}`,
    `40${nsp}`,
    '40/admin,{}',
    '40/__proto__,{}',
    `40/${'x'.repeat(50_000)},{}`,
    '42/admin,["x"]',
    `41${nsp}`,
    `44${nsp}{"message":"x"}`,
    `44${nsp}`,
    '47',
    '49',
    '4\u0000',
    '0',
    '1',
    '2',
    '2probe',
    '3',
    '3probe',
    '5',
    '6',
    '7',
    '9',
    '',
    '\u001e',
    '💥',
    'x'.repeat(90_000),
    `4${'9'.repeat(90_000)}`,
    `42${nsp}["subscribe",${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}]`,
  ])('that are none leave the edge alive (%#)', async (packet) => {
    const [before, after] = [await open(), await join({ token: attacker.apiKey })];
    before.send(packet);
    after.send(packet);
    after.send(`42${nsp}5["subscribe",["nonsense"]]`);
    // A connection goes on, or ends; it never stays without an answer.
    await waitFor(() => after.isEnded || after.messages.some((message) => message.startsWith(`43${nsp}5[`)), {
      what: 'an answer or the end',
    });
    expectNothingOf(after);
    expectNothingOf(before);
    await expectAlive();
  });

  test('that come with bytes that do not belong to them leave the edge alive', async () => {
    const connection = await join({ token: attacker.apiKey });
    connection.send(Buffer.from([1, 2, 3]), { opcode: 0x2 });
    const other = await join({ token: attacker.apiKey });
    other.send(`452-${nsp}1["subscribe",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`);
    for (let part = 0; part < 5; part += 1) other.send(Buffer.alloc(1_000), { opcode: 0x2 });
    await waitFor(() => connection.isEnded && other.isEnded, { what: 'the end' });
    await expectAlive();
  });

  test.each([
    ['not masked', (connection: RawConnection) => connection.send('40', { isMasked: false })],
    ['of a reserved kind', (connection: RawConnection) => connection.send('40', { opcode: 0x3 })],
    [
      'longer than anything',
      (connection: RawConnection) => connection.write(Buffer.from('81ff7fffffffffffffff00000000', 'hex')),
    ],
    ['no text', (connection: RawConnection) => connection.send(Buffer.from('4\xff\xfe', 'latin1'))],
    ['a large ping', (connection: RawConnection) => connection.send('x'.repeat(126), { opcode: 0x9 })],
    [
      'a close with a bad code',
      (connection: RawConnection) => connection.send(Buffer.from([0, 1]), { opcode: 0x8 }),
    ],
    ['HTTP', (connection: RawConnection) => connection.write('GET / HTTP/1.1\r\n\r\n')],
    ['the end of nothing', (connection: RawConnection) => connection.send('40', { opcode: 0x0 })],
  ])('in frames that are %s end the connection', async (_what, send) => {
    const connection = await join({ token: attacker.apiKey });
    send(connection);
    await waitFor(() => connection.isEnded, { what: 'the end' });
    await expectAlive();
  });

  test('in pieces without end are cut off, and so are pings without end that nobody reads the answers to', async () => {
    const pieces = await join({ token: attacker.apiKey });
    pieces.send('4', { isFinal: false });
    for (let part = 0; part < 200; part += 1) pieces.send('x'.repeat(1_000), { opcode: 0x0, isFinal: false });
    const pings = await join({ token: attacker.apiKey });
    pings.pause();
    const [edge = expect.fail()] = cluster.edges;
    const name = 'wafleet_edge_connections_closed_total{reason="TOO_MANY_FRAMES"}';
    const before = await metricOf(edge, name);
    for (let ping = 0; ping < 2_000; ping += 1) pings.send('x'.repeat(120), { opcode: 0x9 });
    await waitFor(() => pieces.isEnded, { what: 'the end of the pieces' });
    await waitFor(async () => (await metricOf(edge, name)) > before, { what: 'the end of the pings' });
    await expectAlive();
  });
});

describe('requests', () => {
  const polling = '/socket.io/?EIO=4&transport=polling';

  test.each([
    ['GET', '/socket.io/?EIO=3&transport=polling'],
    ['GET', '/socket.io/?EIO=99&transport=polling'],
    ['GET', '/socket.io/?transport=__proto__&EIO=4'],
    ['GET', '/socket.io/?transport=constructor&EIO=4'],
    ['GET', '/socket.io/?transport[]=polling&EIO=4'],
    ['GET', '/socket.io/?EIO=4&transport=websocket'],
    ['GET', `${polling}&sid=__proto__`],
    ['GET', `${polling}&sid=edge_000000000000.AAAAAAAAAAAAAAAAAAAA`],
    ['GET', `${polling}&sid=10.0.0.1:6379.x`],
    ['POST', polling],
    ['PUT', polling],
    ['DELETE', `${polling}&sid=x`],
    ['POST', `${polling}&sid=x`],
  ])('that Engine.IO does not know are refused: %s %s', async (method, path) => {
    const answer = await fetch(edgeUrl() + path, { method, headers: { 'x-forwarded-for': someAddress() } });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(await answer.json()).toMatchObject({ message: expect.any(String) });
  });

  test.each([
    '',
    '\u001e',
    '\u001e'.repeat(50_000),
    '4'.repeat(90_000),
    '{"a":1}',
    randomBytes(1_000).toString('latin1'),
    '6\u001e'.repeat(40_000),
  ])('of a polling client with garbage leave the edge alive (%#)', async (body) => {
    const headers = { 'x-forwarded-for': someAddress() };
    const sid = /"sid":"([^"]+)"/.exec(await (await fetch(edgeUrl() + polling, { headers })).text())?.[1];
    const answer = await fetch(`${edgeUrl()}${polling}&sid=${sid}`, { method: 'POST', body, headers });
    expect(answer.status).toBeLessThan(500);
    const twice = await Promise.all(
      [1, 2].map(() => fetch(`${edgeUrl()}${polling}&sid=${sid}`, { headers })),
    );
    expect(twice.map(({ status }) => status)).not.toContain(500);
    await expectAlive();
  });

  test.each([
    ['GET', '/api/sessions/p1'],
    ['GET', '/api/sessions/p1/qr'],
    ['POST', '/api/sessions/p1/messages'],
    ['POST', '/api/sessions/p1/restart'],
    ['DELETE', '/api/sessions/p1'],
    ['GET', '/api/sessions/..%2fp1'],
    ['GET', '/api/sessions/%00'],
    ['GET', '/api/sessions/__proto__'],
    ['GET', `/api/sessions/${'x'.repeat(5_000)}`],
    ['GET', '/api/sessions/%zz'],
    ['GET', '/api/tenants'],
    ['POST', '/api/tenants'],
    ['POST', '/api/keys'],
    ['DELETE', '/api/keys/key_x'],
    ['GET', '/api/events?events=*&sessions=p1'],
    ['GET', '/api/events?events=__proto__'],
    ['GET', '/api/events?events=*&since=-'],
    ['GET', '/api/events?events=*&tenantId=victim'],
    ['GET', '/api/events'],
    ['GET', `/api/events?events=${'*,'.repeat(3_000)}*`],
    ['GET', '/nothing'],
  ])('for what is another’s get an error of the contract: %s %s', async (method, path) => {
    const answer = await fetch(edgeUrl() + path, {
      method,
      headers: {
        'x-api-key': attacker.apiKey,
        'x-forwarded-for': someAddress(),
        'content-type': 'application/json',
      },
      ...(method === 'POST' ? { body: '{"__proto__":{"to":"15551230001"},"tenantId":"x"}' } : {}),
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    const { error } = errorBodySchema.parse(await answer.json());
    expect(ERRORS[error.code].status).toBe(answer.status);
  });

  test('for events since another tenant’s position bring nothing of that tenant', async () => {
    const since = publisher.published[0]?.eventId ?? '';
    const leaving = new AbortController();
    const answer = await fetch(`${edgeUrl()}/api/events?events=*`, {
      headers: { 'x-api-key': attacker.apiKey, 'last-event-id': since, 'x-forwarded-for': someAddress() },
      signal: leaving.signal,
    });
    expect(answer.status).toBe(200);
    let text = '';
    const reading = (async () => {
      for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => {});
    const before = publisher.published.length;
    await waitFor(() => publisher.published.length > before + 5, { what: 'more events of the victim' });
    leaving.abort();
    await reading;
    expect(text).not.toMatch(/messages\.upsert|"p[12]"/);
  });

  test('in thousands make their address wait, and nobody else', async () => {
    const headers = { 'x-forwarded-for': someAddress() };
    const statuses: number[] = [];
    for (let round = 0; round < 30; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const answer = await fetch(edgeUrl() + polling, { headers });
          await answer.arrayBuffer();
          return answer.status;
        }),
      );
      statuses.push(...answers);
    }
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    await expectAlive();
  });
});

test('nobody was harmed: nothing is missing or foreign, the edge has its size, its log no secret', async () => {
  const [edge = expect.fail()] = cluster.edges;
  await listener.expectEverythingOf(cluster, victim);
  expect(listener.disconnects).toEqual([]);
  expect(listener.duplicates).toBe(0);
  expect(edge.process.running).toBe(true);

  const grown = (await size()) - sizeBefore;
  expect(grown).toBeLessThan(MAY_GROW);
  const log = edge.process.logs.map((line) => JSON.stringify(line));
  for (const secret of secrets) expect(log.filter((line) => line.includes(secret))).toEqual([]);
  expect(edge.process.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  // A line that is not the logger's: the trace of a crash, or what a library writes to the console.
  expect(edge.process.logs.filter(({ level }) => level === undefined)).toEqual([]);
  report('attacks', {
    events: listener.received.length,
    grownMB: Math.round(grown / 1024 ** 2),
    logLines: log.length,
  });
});
