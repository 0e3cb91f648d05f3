import { randomBytes } from 'node:crypto';
import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import {
  type AttackedCluster,
  ackedCode,
  expectNothingOf,
  NAMESPACE,
  refusalCode,
} from './attacked-cluster.js';

/** API keys that are invalid, revoked or expired, or that lack a scope. */
export function attackKeys(attacked: AttackedCluster): void {
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
  ])('that are not API keys are refused: %j', async (auth) => {
    const connection = await attacked.open();
    const answer = await connection.join(NAMESPACE, auth);
    // Without an object Socket.IO cannot parse the packet, and ends the connection.
    if (answer !== '' || (typeof auth === 'object' && auth !== null))
      expect(refusalCode(answer)).toBe('UNAUTHORIZED');
    connection.send('42/api/events,1["subscribe",["*"]]');
    await waitFor(() => connection.isEnded, { what: 'a client without a key is cut off' });
    expectNothingOf(connection);
  });

  test('in the prototype of the sent object are ignored', async () => {
    const connection = await attacked.open();
    connection.send(`40/api/events,{"__proto__":{"token":"${attacked.attacker.apiKey}"}}`);
    expect(refusalCode(await connection.answer(/^4[04]/))).toBe('UNAUTHORIZED');
  });

  test('that are only partly right are refused', async () => {
    const { apiKey } = attacked.attacker;
    const wrong = [apiKey.slice(0, -1), `${apiKey} `, apiKey.toUpperCase(), ` ${apiKey}`, `${apiKey}\u0000`];
    for (const token of wrong) expect(refusalCode(await attacked.tryToJoin({ token }))).toBe('UNAUTHORIZED');
  });

  test('that are revoked or expired are refused', async () => {
    const revoked = await attacked.cluster.admin.call('create-key', {
      body: { tenantId: attacked.attacker.id },
    });
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const expiring = await attacked.cluster.admin.call('create-key', {
      body: { tenantId: attacked.attacker.id, expiresAt },
    });
    attacked.secrets.push(revoked.key, expiring.key);
    const sockets = [
      await attacked.join({ token: revoked.key }),
      await attacked.join({ token: expiring.key }),
    ];
    await attacked.cluster.admin.call('revoke-key', { params: { id: revoked.id } });
    await waitFor(() => sockets.every(({ isEnded }) => isEnded), { what: 'their sockets are closed' });
    expect(sockets.map(({ closeFrame }) => closeFrame?.code)).toEqual([4501, 4502]);
    expect(refusalCode(await attacked.tryToJoin({ token: revoked.key }))).toBe('UNAUTHORIZED');
    expect(refusalCode(await attacked.tryToJoin({ token: expiring.key }))).toBe('KEY_EXPIRED');
  });

  test('that lack a scope do not get it by asking', async () => {
    const reader = await attacked.cluster.admin.call('create-key', {
      body: { tenantId: attacked.attacker.id, scopes: ['events:read'], sessions: ['own'] },
    });
    const other = await attacked.cluster.admin.call('create-key', {
      body: { tenantId: attacked.attacker.id, scopes: ['sessions:read'] },
    });
    attacked.secrets.push(reader.key, other.key);
    const more = {
      scopes: ['*'],
      tenantId: attacked.victim.id,
      identity: { tenantId: attacked.victim.id },
      sessions: undefined,
    };
    expect(refusalCode(await attacked.tryToJoin({ ...more, token: other.key }))).toBe('FORBIDDEN');

    const connection = await attacked.join({ ...more, token: reader.key });
    const requests = [
      ['["auth.qr"]', 'FORBIDDEN'],
      ['["auth.pairing-code","call"]', 'FORBIDDEN'],
      ['{"events":["call"],"sessions":["another"]}', 'SESSION_NOT_FOUND'],
      ['{"events":["call"],"sessions":["p1"]}', 'SESSION_NOT_FOUND'],
    ] as const;
    for (const [index, [argument, code]] of requests.entries()) {
      connection.send(`42/api/events,${index}["subscribe",${argument}]`);
      const answer = await connection.answer(new RegExp(`^43/api/events,${index}\\[`));
      expect(ackedCode(answer)).toBe(code);
    }
    connection.send('42/api/events,9["subscribe",["*"]]');
    expect(await connection.answer(/^43\/api\/events,9\[/)).not.toMatch(/auth\./);
  });

  test('that are guessed again and again make the address wait', async () => {
    const address = attacked.someAddress();
    const guess = async () =>
      (await attacked.open(address)).join(NAMESPACE, { token: randomBytes(20).toString('hex') });
    const answers: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      answers.push(...(await Promise.all(Array.from({ length: 50 }, guess))));
    }
    // Handshakes over the limit are refused with an HTTP status, before there is a Socket.IO connection.
    const reported = answers.filter((answer) => answer !== '').map(refusalCode);
    expect(reported.length).toBeLessThan(answers.length);
    expect(reported.filter((code) => code !== 'UNAUTHORIZED' && code !== 'TOO_MANY_HANDSHAKES')).toEqual([]);
    await attacked.expectAlive();
  });
}
