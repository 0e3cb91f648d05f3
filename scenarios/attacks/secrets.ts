import { expect, test } from 'vitest';
import { type AttackedCluster, expectNothingOf, NAMESPACE } from './attacked-cluster.js';

/** An attacker has the secret with which a client resumes its subscription. */
export function attackSecrets(attacked: AttackedCluster): void {
  test('brings nothing with another key, whether of another tenant or the same', async () => {
    const owner = await attacked.open();
    const { pid } = JSON.parse(
      (await owner.join(NAMESPACE, { token: attacked.victim.apiKey })).replace(/^40\/api\/events,/, ''),
    );
    expect(pid).toMatch(/^[\w-]{32}$/);
    attacked.secrets.push(pid);
    owner.send('42/api/events,1["subscribe",["messages.*"]]');
    await owner.answer(/^43\/api\/events,1\[/);
    const second = await attacked.cluster.admin.call('create-key', {
      body: { tenantId: attacked.victim.id },
    });
    attacked.secrets.push(second.key);

    for (const token of [attacked.attacker.apiKey, second.key]) {
      const connection = await attacked.open();
      const answer = await connection.join(NAMESPACE, { token, pid });
      expect(answer).toMatch(/^40/);
      expect(answer).not.toContain(pid);
      expect(await connection.answer(/SUBSCRIPTION_LOST/)).not.toBe('');
      await attacked.victimGetsMore();
      expectNothingOf(connection);
    }
    // Its owner can still use it.
    owner.close();
    const again = await attacked.open();
    expect(await again.join(NAMESPACE, { token: attacked.victim.apiKey, pid })).toContain(pid);
    expect(await again.answer(/messages\.upsert/)).not.toBe('');
  });

  test.each(['', '*', '?'.repeat(32), 'x'.repeat(32), `${'x'.repeat(31)}\u0000`, { length: 32 }, 7])(
    'that is guessed brings nothing: %j',
    async (pid) => {
      const connection = await attacked.join({ token: attacked.attacker.apiKey, pid });
      expectNothingOf(connection);
    },
  );
}
