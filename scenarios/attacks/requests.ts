import { randomBytes } from 'node:crypto';
import { ERRORS, errorBodySchema } from '@wafleet/contract';
import { expect, test } from 'vitest';
import type { AttackedCluster } from './attacked-cluster.js';

/** HTTP: Engine.IO’s polling, and REST. */
export function attackRequests(attacked: AttackedCluster): void {
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
    const answer = await fetch(attacked.edge.url + path, {
      method,
      headers: { 'x-forwarded-for': attacked.someAddress() },
    });
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
    const headers = { 'x-forwarded-for': attacked.someAddress() };
    const sid = /"sid":"([^"]+)"/.exec(
      await (await fetch(attacked.edge.url + polling, { headers })).text(),
    )?.[1];
    const answer = await fetch(`${attacked.edge.url}${polling}&sid=${sid}`, {
      method: 'POST',
      body,
      headers,
    });
    expect(answer.status).toBeLessThan(500);
    const twice = await Promise.all(
      [1, 2].map(() => fetch(`${attacked.edge.url}${polling}&sid=${sid}`, { headers })),
    );
    expect(twice.map(({ status }) => status)).not.toContain(500);
    await attacked.expectAlive();
  });

  test.each([
    ['GET', '/api/sessions/p1'],
    ['GET', '/api/sessions/p1/qr'],
    ['POST', '/api/sessions/p1/messages'],
    ['POST', '/api/sessions/p1/restart'],
    ['DELETE', '/api/sessions/p1'],
    ['GET', '/api/sessions/p1/messages/A1/media'],
    ['GET', '/api/sessions/none/messages/..%2f..%2f..%2fp1/media'],
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
    const answer = await fetch(attacked.edge.url + path, {
      method,
      headers: {
        'x-api-key': attacked.attacker.apiKey,
        'x-forwarded-for': attacked.someAddress(),
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
    const since = attacked.publisher.published[0]?.eventId ?? '';
    const leaving = new AbortController();
    const answer = await fetch(`${attacked.edge.url}/api/events?events=*`, {
      headers: {
        'x-api-key': attacked.attacker.apiKey,
        'last-event-id': since,
        'x-forwarded-for': attacked.someAddress(),
      },
      signal: leaving.signal,
    });
    expect(answer.status).toBe(200);
    let text = '';
    const reading = (async () => {
      for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => {});
    await attacked.victimGetsMore(6);
    leaving.abort();
    await reading;
    expect(text).not.toMatch(/messages\.upsert|"p[12]"/);
  });

  test('in thousands make only their own address wait', async () => {
    const headers = { 'x-forwarded-for': attacked.someAddress() };
    const statuses: number[] = [];
    for (let round = 0; round < 30; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const answer = await fetch(attacked.edge.url + polling, { headers });
          await answer.arrayBuffer();
          return answer.status;
        }),
      );
      statuses.push(...answers);
    }
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    await attacked.expectAlive();
  });
}
