import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { type AttackedCluster, ackedCode, expectNothingOf } from './attacked-cluster.js';

/** Subscriptions to another tenant’s events, and to more than the edge can handle. */
export function attackSubscriptions(attacked: AttackedCluster): void {
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
    ['the sessions of one’s key, by name', '{"events":["*"],"sessions":["@key"]}', 'VALIDATION_FAILED'],
    ['those of another key', '{"events":["*"],"sessions":["@key_AAAAAAAAAAAA"]}', 'VALIDATION_FAILED'],
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
    ['a position that is not a text', '{"events":["*"],"since":{"$gt":""}}', 'VALIDATION_FAILED'],
  ])('to %s are refused with a code', async (_what, argument, code) => {
    const connection = await attacked.join({ token: attacked.attacker.apiKey });
    for (const event of ['subscribe', 'unsubscribe']) {
      const id = event === 'subscribe' ? 1 : 2;
      connection.send(`42/api/events,${id}["${event}",${argument}]`);
      const answer = await connection.answer(new RegExp(`^43/api/events,${id}\\[`));
      // Unsubscribing from what was never subscribed to is allowed, also from another tenant's session.
      if (event === 'unsubscribe' && answer.includes('"ok":true')) continue;
      const seen = ackedCode(answer);
      if (event === 'subscribe') expect(seen).toBe(code);
      expect(answer.length).toBeLessThan(50_000);
    }
    expectNothingOf(connection);
  });

  test.each([
    ['1 MB', JSON.stringify(['x'.repeat(1_000_000)])],
    ['100,000 names', JSON.stringify(many(100_000, 'a'))],
  ])('of %s end the connection', async (_what, argument) => {
    const connection = await attacked.join({ token: attacked.attacker.apiKey });
    connection.send(`42/api/events,1["subscribe",${argument}]`);
    await waitFor(() => connection.isEnded, { what: 'the end' });
    expect(connection.closeFrame?.code).toBe(1009);
    await attacked.expectAlive();
  });

  test('since a position of another tenant bring nothing of that tenant', async () => {
    await waitFor(() => attacked.publisher.published.length > 5, { what: 'events of the victim' });
    const since = attacked.publisher.published.map(({ eventId }) => eventId);
    const far = ['0-0', '1-1', '999999999999999-9', 'zzzz-1', '1-9007199254740991', `${since[0]}~1`];
    for (const position of [since[0], since.at(-1), ...far]) {
      const connection = await attacked.join({ token: attacked.attacker.apiKey });
      connection.send(`42/api/events,1["subscribe",{"events":["*"],"since":"${position}"}]`);
      expect(await connection.answer(/^43\/api\/events,1\[/)).toContain('"ok":true');
      await attacked.victimGetsMore();
      expectNothingOf(connection);
    }
  });

  test('that flood end the connection', async () => {
    const connection = await attacked.join({ token: attacked.attacker.apiKey });
    for (let id = 0; id < 2_000; id += 1) connection.send(`42/api/events,${id}["subscribe",["*"]]`);
    await waitFor(() => connection.isEnded, { what: 'the end' });
    expect(connection.closeFrame?.code).toBe(4009);
    expect(connection.messages.at(-1)).toContain('TOO_MANY_FRAMES');
  });

  test('do not pile up if the client does not read the answers', async () => {
    const connection = await attacked.join({ token: attacked.attacker.apiKey });
    connection.pause();
    const closed = () => attacked.metric('wafleet_edge_limits_exceeded_total{limit="frames_per_socket"}');
    const before = await closed();
    const name = 'x'.repeat(900);
    for (let id = 0; id < 2_000; id += 1) connection.send(`42/api/events,${id}["subscribe",["${name}"]]`);
    await waitFor(async () => (await closed()) > before, { what: 'the connection is closed' });
  });
}
